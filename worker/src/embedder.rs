//! The embedding model of Workers AI: asks it for vectors. What it is asked, and what its answers mean,
//! the core decides (`retrieval`).

use std::cell::Cell;

use js_sys::{Array, Float32Array, Promise, Reflect, futures::JsFuture};
use nacre_core::{
    moment::Moment,
    retrieval::{EmbeddingModel, dense_vectors},
    search::semantic::vector::Vector,
};
use wasm_bindgen::{JsCast as _, JsValue, prelude::wasm_bindgen};
use worker::{Env, console_error};

use crate::host;

#[wasm_bindgen(module = "/src/embedder.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn run(ai: &JsValue, model: &str, texts: &Array, millis: f64) -> Result<Promise, JsValue>;
}

/// The binding in `wrangler.toml`.
const BINDING: &str = "AI";

/// Longest time for documents, which no one waits for, in milliseconds.
const PATIENCE_MILLIS: u64 = 20_000;

/// How long the model is believed not to answer questions, in milliseconds.
const DOUBTED_MILLIS: u64 = 1_000;

/// The embedding model of the deployment.
#[derive(Debug)]
pub(crate) struct Embedder {
    ai: JsValue,
    name: String,
    /// How long a question waits for it, in milliseconds.
    budget_millis: u64,
    /// Until then no question is sent: it has failed.
    doubted: Cell<Moment>,
}

impl Embedder {
    /// The model with this name; `None` without the binding.
    pub(crate) fn of(env: &Env, name: String, budget_millis: u64) -> Option<Embedder> {
        let is_bound = Reflect::has(env, &BINDING.into()).unwrap_or_default();
        let ai = is_bound.then(|| Reflect::get(env, &BINDING.into()).ok()).flatten()?;
        Some(Embedder { ai, name, budget_millis, doubted: Cell::new(Moment(0)) })
    }

    /// The mark of its vectors.
    pub(crate) fn model(&self) -> EmbeddingModel {
        EmbeddingModel::named(&self.name)
    }

    /// The vectors of texts of documents; `None` if it fails.
    pub(crate) async fn documents(&self, texts: &[String]) -> Option<Vec<Vector>> {
        let answer = self.run(texts, PATIENCE_MILLIS).await?;
        dense_vectors(&answer, texts.len()).inspect_err(|error| console_error!("{error}")).ok()
    }

    /// What it answers for a question; `None` if it fails or is late, or was just now.
    pub(crate) async fn question(&self, text: String) -> Option<Vec<Vec<f32>>> {
        if self.doubted.get() > host::now() {
            return None;
        }
        let answer = self.run(&[text], self.budget_millis).await;
        if answer.is_none() {
            self.doubt();
        }
        answer
    }

    /// Sends no question for a moment: it has failed, or its answer is none.
    pub(crate) fn doubt(&self) {
        self.doubted.set(host::now().later(DOUBTED_MILLIS));
    }

    async fn run(&self, texts: &[String], millis: u64) -> Option<Vec<Vec<f32>>> {
        let texts: Array = texts.iter().map(|text| JsValue::from_str(text)).collect();
        let answer = match run(&self.ai, &self.name, &texts, millis as f64) {
            Ok(answer) => JsFuture::from(answer).await,
            Err(thrown) => Err(thrown),
        };
        let failed = |thrown: &JsValue| {
            // Its text is not known to be free of what was sent.
            let is_late = thrown
                .dyn_ref::<js_sys::Error>()
                .is_some_and(|error| error.message() == "took too long");
            console_error!("embedding model: {}", if is_late { "took too long" } else { "failed" });
        };
        let vectors = answer.inspect_err(failed).ok()?;
        Some(
            Array::from(&vectors)
                .iter()
                .map(|vector| Float32Array::new(&vector).to_vec())
                .collect(),
        )
    }
}
