package disk

// OnStep has f told of each step of Compact.
func (l *Ledger) OnStep(f func(step string)) { l.step = f }
