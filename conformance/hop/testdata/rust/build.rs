fn main() {
    // The linker gives a stack of 1 MiB to each instance otherwise.
    println!("cargo::rustc-link-arg-cdylib=-zstack-size=65536");
}
