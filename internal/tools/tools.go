//go:build tools

// Package tools pins the tools of ../../check, in a module of its own so that
// they are not among the requirements of those who use postbag.
package tools

import _ "honnef.co/go/tools/cmd/staticcheck"
