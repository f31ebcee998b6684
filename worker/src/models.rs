//! The models of meaning: loaded from the deployment's assets on the first need, once for each
//! isolate. Without them searches go by words alone.

use std::{cell::RefCell, rc::Rc};

use nacre_core::{
    error::{Code, Error, Result},
    moment::Moment,
    search::semantic::models::{File, Models},
};
use worker::{Env, Fetcher, console_error};

use crate::host;

/// The binding of the assets in `wrangler.toml`.
const ASSETS: &str = "ASSETS";

/// The folder of the files in the assets. The host of the URL means nothing there.
const FOLDER: &str = "https://assets/models";

/// The wait before a file that could not be loaded is asked for again, in milliseconds.
const AGAIN_MILLIS: u64 = 60_000;

/// What a caller needs the models for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// To answer queries.
    Queries,
    /// To encode documents, too.
    Documents,
}

impl Need {
    fn files(self) -> &'static [File] {
        match self {
            Need::Queries => &[File::Vocabulary, File::Table, File::Expansion],
            Need::Documents => &File::ALL,
        }
    }
}

/// The assets of the deployment, if it has some.
#[derive(Debug)]
pub(crate) struct ModelFiles(Option<Fetcher>);

/// What this isolate has loaded. It stays as long as the isolate.
struct Loaded {
    files: [Option<&'static [u8]>; File::ALL.len()],
    models: Option<(Need, Rc<Models<'static>>)>,
    /// After a failure: when to try again.
    again: Moment,
}

thread_local! {
    static LOADED: RefCell<Loaded> = const {
        RefCell::new(Loaded { files: [None; File::ALL.len()], models: None, again: Moment(0) })
    };
}

impl ModelFiles {
    pub(crate) fn of(env: &Env) -> ModelFiles {
        let is_bound = js_sys::Reflect::has(env, &ASSETS.into()).unwrap_or_default();
        ModelFiles(is_bound.then(|| env.assets(ASSETS).ok()).flatten())
    }

    /// Whether the deployment may have models.
    pub(crate) fn is_bound(&self) -> bool {
        self.0.is_some()
    }

    /// The models; `None` while they cannot be loaded.
    pub(crate) async fn load(&self, need: Need) -> Option<Rc<Models<'static>>> {
        if let Some(models) = loaded(need) {
            return Some(models);
        }
        let assets = self.0.as_ref()?;
        if with(|loaded| loaded.again)? > host::now() {
            return None;
        }
        let models = load(assets, need).await;
        models
            .inspect_err(|error| {
                console_error!("models: {error}");
                with(|loaded| loaded.again = host::now().later(AGAIN_MILLIS));
            })
            .ok()
    }
}

/// The models that are loaded.
fn loaded(need: Need) -> Option<Rc<Models<'static>>> {
    with(|loaded| {
        let (has, models) = loaded.models.as_ref()?;
        (*has == Need::Documents || need == Need::Queries).then(|| Rc::clone(models))
    })?
}

async fn load(assets: &Fetcher, need: Need) -> Result<Rc<Models<'static>>> {
    for file in need.files() {
        if held(*file).is_none() {
            let bytes = fetch(assets, *file).await.map_err(|_| missing(*file))?;
            keep(*file, bytes);
        }
    }
    // Another object may have been quicker, also with more than is needed here.
    if let Some(models) = loaded(need) {
        return Ok(models);
    }
    let file = |file| held(file).ok_or_else(|| missing(file));
    let models = Models::read(file(File::Vocabulary)?, file(File::Table)?, file(File::Expansion)?)?;
    let models = match need {
        Need::Queries => models,
        Need::Documents => models.with_sparse(file(File::Sparse)?)?,
    };
    let models = Rc::new(models);
    with(|loaded| loaded.models = Some((need, Rc::clone(&models))));
    Ok(models)
}

async fn fetch(assets: &Fetcher, file: File) -> worker::Result<Vec<u8>> {
    let mut response = assets.fetch(format!("{FOLDER}/{}", file.name()), None).await?;
    match response.status_code() {
        200 => response.bytes().await,
        status => Err(worker::Error::RustError(format!("status {status}"))),
    }
}

fn missing(file: File) -> Error {
    let detail = format!("the asset models/{} is missing; build the Worker again", file.name());
    Error::new(Code::SearchUnavailable, detail)
}

fn held(file: File) -> Option<&'static [u8]> {
    with(|loaded| loaded.files.get(place(file)).copied().flatten())?
}

/// Keeps a file for the life of the isolate, unless another object was quicker.
fn keep(file: File, bytes: Vec<u8>) {
    with(|loaded| {
        if let Some(slot @ None) = loaded.files.get_mut(place(file)) {
            *slot = Some(bytes.leak());
        }
    });
}

fn place(file: File) -> usize {
    File::ALL.iter().position(|other| *other == file).unwrap_or(File::ALL.len())
}

/// `None` while it is borrowed, which no caller does across a call.
fn with<T>(look: impl FnOnce(&mut Loaded) -> T) -> Option<T> {
    LOADED.with(|loaded| loaded.try_borrow_mut().ok().map(|mut loaded| look(&mut loaded)))
}
