//! The README's example in Rust, as it stands there.

mod example {
    #![allow(missing_docs, dead_code, unreachable_pub, reason = "a reader's program")]
    include!(concat!(env!("OUT_DIR"), "/readme.rs"));

    pub(super) fn run() -> wasmtime::Result<()> {
        main()
    }
}

#[test]
fn the_example_does_what_it_says() {
    let component = nacre_component_tests::World::Contexts.path();
    std::env::set_current_dir(component.parent().expect("a folder")).expect("dist");
    example::run().expect("the README's example");
}
