//go:build !linux

package message_test

import "time"

// threadTime is the time.
func threadTime() time.Duration { return time.Duration(time.Now().UnixNano()) }
