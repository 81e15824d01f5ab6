# Versions of every tool the guest builds use; sourced by the scripts of this folder.
# The committed .wasm are the bytes that exactly these versions make.
TINYGO_VERSION=0.41.0
JCO_VERSION=1.35.0
PREVIEW2_SHIM_VERSION=0.25.0
LLVM_DEB=1:19.1.7-3~deb12u1
WASI_LIBC_DEB=0.0~git20220510.9886d3d-2
BINARYEN_DEB=108-1

# say prints a line for the person who waits.
say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

# fail prints a line and ends the script.
fail() { say "$*"; exit 1; }
