// Package wave knows how values of components are written as text: WAVE of the Component Model,
// "{topic: "a", payload: [1, 2]}". A value is read and written with its type. It knows nothing of
// how values are carried.
//
// Handles, which WAVE leaves open, are written as the resource with the number, "bucket(7)".
// Strings of several lines in three quotes are not read.
package wave
