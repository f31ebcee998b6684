//! Context packs in wasm: contexts are stored once, then packed.

use nacre_core::{
    access::Scopes,
    address::Address,
    credentials,
    decide::{Setting, decide_alone},
    entropy::Entropy,
    id::User,
    memory::MemoryStore,
    moment::Moment,
    op::{Caller, Request},
    pack::{Ask, Calls, Counter, Format, pack},
    seal::{Keyring, SealContent},
    sensitive::SensitiveNames,
    wire::{operation::BatchBody, read_json, request},
};
use wasm_bindgen::prelude::wasm_bindgen;

/// A store, and what is asked of it.
#[derive(Debug)]
#[wasm_bindgen]
pub struct Packs {
    rows: MemoryStore<'static>,
    caller: Caller,
    ask: Ask,
}

#[wasm_bindgen]
impl Packs {
    /// Stores the contexts that the operations of a batch create; a task of them is packed.
    ///
    /// # Panics
    /// When they cannot be.
    #[wasm_bindgen(constructor)]
    pub fn new(batch: &str, task: &str, max_tokens: usize) -> Packs {
        let mut rows = MemoryStore::new();
        let mut entropy = Entropy::from_seed([7; 32]);
        let keys = Keyring::in_memory(&mut entropy).expect("keys");
        let names = SensitiveNames::default();
        let user = User::parse("bench").expect("a user");
        let caller = Caller { user: user.clone(), owner: user, scopes: Scopes::UNSTATED };
        let batch: BatchBody =
            request::decode(read_json(batch.as_bytes()).expect("JSON")).expect("a batch");
        let command = batch.into_batch().expect("operations").into();
        let request = Request { caller: caller.clone(), command, idempotency: None, id: None };
        let mut setting = Setting {
            at: Moment(1),
            entropy: &mut entropy,
            keys: Some(&keys as _),
            names: &names,
            content: SealContent::Seal(credentials::find),
        };
        let plan = decide_alone(&rows, &mut setting, &request).expect("a plan");
        rows.apply(&plan.writes);
        let ask = Ask {
            address: Address::parse("task", task).expect("an address"),
            max_tokens,
            counter: Counter::Cautious,
            format: Format::default(),
            origins: false,
            calls: Calls::default(),
        };
        Packs { rows, caller, ask }
    }

    /// The pack.
    ///
    /// # Panics
    /// When the task is not there.
    pub fn pack(&self) -> String {
        pack(&self.rows, &self.caller, &self.ask).expect("a pack").text
    }
}
