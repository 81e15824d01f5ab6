#!/bin/sh
# generate.sh makes src/generated anew from wit/, by wit-bindgen 0.61.1 ("cargo install --locked
# wit-bindgen-cli@0.61.1").
set -eu
cd "$(dirname "$0")"
# generate ROLE [FLAG...]. Macros of both roles stand at the top of the crate, so they get the role's
# name.
generate() {
	role=$1
	shift
	wit-bindgen rust --world "$role-component" --out-dir src/generated --generate-all \
		--pub-export-macro --disable-custom-section-link-helpers \
		--default-bindings-module "hpmq_guest::$role" "$@" ../../../wit
	sed "s/__export_hpmq_broker_/__export_${role}_/g" "src/generated/${role}_component.rs" \
		>"src/generated/$role.rs"
	rm "src/generated/${role}_component.rs"
}
generate transformer
generate authorizer --with hpmq:broker/types@0.1.0=crate::transformer::hpmq::broker::types
