// Package revival knows what a broker must come up with that was killed while components were being
// changed: in each state of a change the old version or the new one, on all listeners of it, and it
// says which. It does not know how a change is made.
package revival
