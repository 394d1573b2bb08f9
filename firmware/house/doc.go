// Package house has no code. Its test keeps the house in order: which package
// may import which, read from the import clauses of every file.
package house
