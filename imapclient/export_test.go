package imapclient

import "time"

// SetWall makes a watch take the time of day from wall.
func SetWall(w *Watch, wall func() time.Time) { w.wall = wall }
