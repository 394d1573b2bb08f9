package board

import "embed"

// Files are the board files of this repository, as a person writes them:
// NAME.yaml for each.
//
//go:embed *.yaml
var Files embed.FS
