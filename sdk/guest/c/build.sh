#!/bin/sh
# build.sh OUT SOURCE... makes the core module OUT of sources in C and of this SDK, by clang 19 and lld 19
# (CC and LD name others). It takes a role's file of the SDK with it: conversion.c, or what ROLES says.
# The broker links the module as it is; "hpmq-cli component wrap" makes a component of it.
set -eu
sdk=$(cd "$(dirname "$0")" && pwd)
out=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
roles=
for role in ${ROLES:-conversion}; do roles="$roles $sdk/$role.c"; done
for source in "$@" "$sdk/hpmq.c" $roles; do
	"${CC:-clang-19}" --target=wasm32 -std=c17 -O2 -mbulk-memory -ffreestanding -Wall -Wextra \
		-I"$sdk" -c -o "$work/$(basename "$source").o" "$source"
done
"${LD:-wasm-ld-19}" --no-entry --strip-all --stack-first -z stack-size=32768 -o "$out" "$work"/*.o
chmod 644 "$out"
