package timeline

// happened tells, in one sentence, what made a record that is about no call: a
// door, the cover, or a part of the panel. It is empty for every other record.
func happened(rec Record) string {
	if len(rec.Marks) == 0 || rec.Button != "" {
		return ""
	}
	switch m := rec.Marks[0]; m.Name {
	case DoorForced:
		return orElse(m.Detail, "a door") + " was opened without having been released"
	case DoorHeld:
		return orElse(m.Detail, "a door stands open")
	case DoorClosed:
		return orElse(m.Detail, "a door") + " is closed again"
	case DoorUnused:
		return orElse(m.Detail, "a door") + " was released, but never moved"
	case CoverOpened:
		return "the cover was opened" + inBrackets(m.Detail)
	case CoverClosed:
		return "the cover was closed" + inBrackets(m.Detail)
	case BoardReset:
		return "the guard has reset the board" + inBrackets(m.Detail)
	case LongPress:
		return orElse(m.Detail, "a button was held down")
	}
	return ""
}
