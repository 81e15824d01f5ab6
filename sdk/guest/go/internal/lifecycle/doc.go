// Package lifecycle is the export hpmq:broker/lifecycle, which every component has: it hands the
// configuration to the component and its interest to the host. The roles put their handler in.
package lifecycle
