//! An instance of the component.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use wasmtime::{
    Config, Engine, OptLevel, Result, Store,
    component::{Component, Linker},
    error::Context as _,
};

use crate::bindings::{
    Contexts,
    exports::nacre::context::{lint, resolver, store},
};

/// The component: `NACRE_COMPONENT`, else where `cargo xtask component` puts it.
pub fn path() -> PathBuf {
    std::env::var_os("NACRE_COMPONENT").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist/nacre.wasm"),
        PathBuf::from,
    )
}

/// One instance, with nothing linked to it.
pub struct Host {
    /// Its memory and tables.
    pub store: Store<()>,
    contexts: Contexts,
}

impl Host {
    /// A new instance of the component, which is compiled once for the process.
    ///
    /// # Errors
    /// When there is no component, or it asks for imports.
    pub fn new() -> Result<Host> {
        static COMPILED: OnceLock<Component> = OnceLock::new();
        let component = match COMPILED.get() {
            Some(component) => component,
            None => {
                let mut config = Config::new();
                config.cranelift_opt_level(OptLevel::None); // compiled once, run briefly
                let engine = Engine::new(&config)?;
                let path = path();
                let component = Component::from_file(&engine, &path).with_context(|| {
                    format!("{}: `cargo xtask component` builds it", path.display())
                })?;
                COMPILED.get_or_init(|| component)
            }
        };
        let mut store = Store::new(component.engine(), ());
        let linker = Linker::new(component.engine());
        let contexts = Contexts::instantiate(&mut store, component, &linker)?;
        Ok(Host { store, contexts })
    }

    /// The interface `resolver`, and what its functions are called with.
    pub fn resolver(&mut self) -> (&resolver::Guest, &mut Store<()>) {
        (self.contexts.nacre_context_resolver(), &mut self.store)
    }

    /// The interface `lint`, and what its functions are called with.
    pub fn lint(&mut self) -> (&lint::Guest, &mut Store<()>) {
        (self.contexts.nacre_context_lint(), &mut self.store)
    }

    /// The interface `store`, and what its functions are called with.
    pub fn contexts(&mut self) -> (&store::Guest, &mut Store<()>) {
        (self.contexts.nacre_context_store(), &mut self.store)
    }
}
