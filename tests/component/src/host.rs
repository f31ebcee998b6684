//! An instance of a component.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use wasmtime::{
    Config, Engine, OptLevel, Result, Store,
    component::{Component, InstancePre, Linker},
    error::Context as _,
};

use crate::bindings::exports::nacre::context::{lint, resolver, store};

/// A world of `wit/`: what a component offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// Everything.
    Contexts,
    /// The resolver and the linter.
    Layers,
}

impl World {
    /// Both.
    pub const ALL: [World; 2] = [World::Contexts, World::Layers];

    /// The component: where `cargo xtask component` puts it.
    pub fn path(self) -> PathBuf {
        let file = match self {
            World::Contexts => "nacre.wasm",
            World::Layers => "nacre-resolver.wasm",
        };
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist").join(file)
    }

    /// The component, compiled once for the process, with nothing linked to it.
    fn compiled(self) -> Result<&'static InstancePre<()>> {
        static COMPILED: [OnceLock<InstancePre<()>>; 2] = [const { OnceLock::new() }; 2];
        let [contexts, layers] = &COMPILED;
        let compiled = if self == World::Contexts { contexts } else { layers };
        if let Some(instance) = compiled.get() {
            return Ok(instance);
        }
        let mut config = Config::new();
        config.cranelift_opt_level(OptLevel::None); // compiled once, run briefly
        let engine = Engine::new(&config)?;
        let path = self.path();
        let component = Component::from_file(&engine, &path)
            .with_context(|| format!("{}: `cargo xtask component` builds it", path.display()))?;
        let instance = Linker::new(&engine).instantiate_pre(&component)?;
        Ok(compiled.get_or_init(|| instance))
    }
}

/// One instance, with nothing linked to it.
pub struct Host {
    /// Its memory and tables.
    pub store: Store<()>,
    resolver: resolver::Guest,
    lint: lint::Guest,
    contexts: Option<store::Guest>,
}

impl Host {
    /// A new instance of the whole component.
    ///
    /// # Errors
    /// When there is no component, or it asks for imports.
    pub fn new() -> Result<Host> {
        Host::of(World::Contexts)
    }

    /// A new instance of a component.
    ///
    /// # Errors
    /// As [`Host::new`].
    pub fn of(world: World) -> Result<Host> {
        let ready = world.compiled()?;
        let mut store = Store::new(ready.engine(), ());
        let instance = ready.instantiate(&mut store)?;
        let resolver = resolver::GuestIndices::new(ready)?.load(&mut store, &instance)?;
        let lint = lint::GuestIndices::new(ready)?.load(&mut store, &instance)?;
        let contexts = match world {
            World::Contexts => Some(store::GuestIndices::new(ready)?.load(&mut store, &instance)?),
            World::Layers => None,
        };
        Ok(Host { store, resolver, lint, contexts })
    }

    /// The interface `resolver`, and what its functions are called with.
    pub fn resolver(&mut self) -> (&resolver::Guest, &mut Store<()>) {
        (&self.resolver, &mut self.store)
    }

    /// The interface `lint`, and what its functions are called with.
    pub fn lint(&mut self) -> (&lint::Guest, &mut Store<()>) {
        (&self.lint, &mut self.store)
    }

    /// The interface `store`, and what its functions are called with.
    ///
    /// # Panics
    /// When the component is the one without a store.
    pub fn contexts(&mut self) -> (&store::Guest, &mut Store<()>) {
        (self.contexts.as_ref().expect("a component with a store"), &mut self.store)
    }
}
