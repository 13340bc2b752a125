//go:build !unix

package disk

import "os"

func unlock(*os.File) {}
