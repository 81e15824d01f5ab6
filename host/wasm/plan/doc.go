// Package plan makes of a valid component the flat list of steps that an instance of it takes:
// nested components are put in line, aliases resolved, so that only core modules, trampolines
// and names are left. It runs nothing and knows no engine.
package plan
