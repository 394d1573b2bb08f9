package main

const usage = `doorctl - see and use the door station that runs here

  doorctl status               how the panel is
  doorctl press BUTTON         press a button, such as button1
  doorctl open DOOR            open a door
  doorctl calls                the last calls, newest first
  doorctl timeline [ID]        what happened in a call, and why the door opened
                               or did not; without an ID in the last call
  doorctl sip trace [ID]       the SIP messages of a call as a ladder, or all
                               that the panel remembers; passwords, keys and
                               digits are made unreadable
  doorctl config check FILE    check a configuration before a panel gets it
  doorctl board compile FILE   check a board file (YAML) and print it as the
                               JSON that the panel reads
  doorctl board draw FILE      draw a board file's wiring, as SVG
  doorctl board detect         which board file this machine wants, its GPIO
                               chips, and where the board's lines are on them
  doorctl board check [PART...]  walk along the wiring of the panel that runs
                               here with an installer: panel, lamps, relays,
                               inputs, sound, camera. Meanwhile buttons ring
                               nobody

Flags:
  -run DIR      the panel's run folder, with its control.sock
                (default /run/doorstation)
  -board FILE   for config check: the board file, YAML or JSON, against whose
                buttons, relays and limits the configuration is checked;
                for board detect: the board file to judge in place of all
  -pcap FILE    for sip trace: write the messages to FILE, for Wireshark
  -yes          for board check: ask nobody, pulse the relays, light the lamps,
                and sum up
  -wait TIME    for board check: for each input (default 30s; 0s with -yes)
  -picture FILE for board check: keep the camera's picture, as JPEG
  -json         print JSON

Opening and pressing need the rights of root, of the daemon's own user, or of
its control group; who asked is recorded.

The exit status is 0 when done, 1 when it failed, 2 for a wrong command line.
`
