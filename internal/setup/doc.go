// Package setup takes a machine to digest lists in steps, and back.
//
// A [Config] is what the administrator has decided, a [Plan] the steps that follow
// from it. The plan runs with a journal on disk (package journal): a run that was killed
// goes on where it stopped, and all of it can be rolled back to the byte.
package setup
