// Package config is the capability hpmq:broker/config. The roles read it for the component and pass
// the text to Configure; package settings reads the text.
package config
