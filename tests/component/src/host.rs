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

use crate::bindings::exports::nacre::context::{lint, resolver, search, store};

/// A world of `wit/`: what a component offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// Everything.
    Contexts,
    /// The resolver and the linter.
    Layers,
    /// Searches.
    Searches,
}

impl World {
    /// Those that resolve and lint.
    pub const RESOLVERS: [World; 2] = [World::Contexts, World::Layers];

    /// The component: where `cargo xtask component` puts it.
    pub fn path(self) -> PathBuf {
        let file = match self {
            World::Contexts => "nacre.wasm",
            World::Layers => "nacre-resolver.wasm",
            World::Searches => "nacre-search.wasm",
        };
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist").join(file)
    }

    /// The component, compiled once for the process, with nothing linked to it.
    fn compiled(self) -> Result<&'static InstancePre<()>> {
        static COMPILED: [OnceLock<InstancePre<()>>; 3] = [const { OnceLock::new() }; 3];
        let [contexts, layers, searches] = &COMPILED;
        let compiled = match self {
            World::Contexts => contexts,
            World::Layers => layers,
            World::Searches => searches,
        };
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
    interfaces: Interfaces,
}

/// The interfaces of a world, beside `types`.
#[allow(clippy::large_enum_variant, reason = "there is one of it for each instance")]
enum Interfaces {
    Contexts(resolver::Guest, lint::Guest, store::Guest),
    Layers(resolver::Guest, lint::Guest),
    Searches(search::Guest),
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
        let interfaces = if world == World::Searches {
            Interfaces::Searches(search::GuestIndices::new(ready)?.load(&mut store, &instance)?)
        } else {
            let resolver = resolver::GuestIndices::new(ready)?.load(&mut store, &instance)?;
            let lint = lint::GuestIndices::new(ready)?.load(&mut store, &instance)?;
            match world {
                World::Contexts => {
                    let contexts = store::GuestIndices::new(ready)?.load(&mut store, &instance)?;
                    Interfaces::Contexts(resolver, lint, contexts)
                }
                World::Layers | World::Searches => Interfaces::Layers(resolver, lint),
            }
        };
        Ok(Host { store, interfaces })
    }

    /// The interface `resolver`, and what its functions are called with.
    ///
    /// # Panics
    /// When the component has no such interface, like all of these.
    pub fn resolver(&mut self) -> (&resolver::Guest, &mut Store<()>) {
        match &self.interfaces {
            Interfaces::Contexts(resolver, ..) | Interfaces::Layers(resolver, _) => {
                (resolver, &mut self.store)
            }
            Interfaces::Searches(_) => panic!("a component with a resolver"),
        }
    }

    /// The interface `lint`, and what its functions are called with.
    pub fn lint(&mut self) -> (&lint::Guest, &mut Store<()>) {
        match &self.interfaces {
            Interfaces::Contexts(_, lint, _) | Interfaces::Layers(_, lint) => {
                (lint, &mut self.store)
            }
            Interfaces::Searches(_) => panic!("a component with a linter"),
        }
    }

    /// The interface `store`, and what its functions are called with.
    pub fn contexts(&mut self) -> (&store::Guest, &mut Store<()>) {
        match &self.interfaces {
            Interfaces::Contexts(.., contexts) => (contexts, &mut self.store),
            _ => panic!("a component with a store"),
        }
    }

    /// The interface `search`, and what its functions are called with.
    pub fn search(&mut self) -> (&search::Guest, &mut Store<()>) {
        match &self.interfaces {
            Interfaces::Searches(search) => (search, &mut self.store),
            _ => panic!("a component with searches"),
        }
    }
}
