//! A new or removed file under `content/` rebuilds the crate, which carries that folder inside.

fn main() {
    println!("cargo::rerun-if-changed=content");
}
