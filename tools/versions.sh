# Versions of every tool the guest builds use; sourced by the scripts of this folder.
# The committed .wasm are the bytes that exactly these versions make.
TINYGO_VERSION=0.41.0
JCO_VERSION=1.35.0
WASM_TOOLS_VERSION=1.263.0
PREVIEW2_SHIM_VERSION=0.25.0
LLVM_DEB=1:19.1.7-3~deb12u1
WASI_LIBC_DEB=0.0~git20220510.9886d3d-2
BINARYEN_DEB=108-1
RUST_WEB_DEB=1.96.0+dfsg1-1~deb12u2
LDC_DEB=1:1.30.0-1+b1
NIM_DEB=1.6.10-2
WABT_DEB=1.0.32-1
ZIG_VERSION=0.15.2
WIT_BINDGEN_VERSION=0.61.1
ASSEMBLYSCRIPT_VERSION=0.28.20
COMPONENTIZE_QJS_VERSION=0.4.5
COMPONENTIZE_PY_VERSION=0.25.1
TYPESCRIPT_VERSION=5.9.3
ADAPTER_VERSION=46.0.1

# say prints a line for the person who waits.
say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

# fail prints a line and ends the script.
fail() { say "$*"; exit 1; }

# debs PACKAGE=VERSION... installs those packages that are not there in that version.
debs() {
	want=
	for p in "$@"; do
		have=$(dpkg-query -W -f='${Status} ${Version}' "${p%%=*}" 2>/dev/null || true)
		[ "$have" = "install ok installed ${p#*=}" ] || want="$want $p"
	done
	[ -n "$want" ] || return 0
	command -v apt-get >/dev/null || fail "needs these Debian packages:$want"
	sudo=
	[ "$(id -u)" = 0 ] || sudo=sudo
	say "installing$want"
	$sudo apt-get update -qq >&2
	DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --allow-downgrades \
		--no-install-recommends $want >&2
}
