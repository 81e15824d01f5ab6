// Package churn knows what an operator does to listeners while clients are connected, and that
// those of another listener must not notice.
package churn
