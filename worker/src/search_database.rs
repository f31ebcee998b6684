//! A shared D1 database of keyed tokens. It finds candidates for a search without reading all
//! documents of an object; where it fails, the object's own rows answer.

use std::collections::BTreeMap;

use js_sys::{Promise, Reflect, futures::JsFuture};
use nacre_core::{address::Address, json, retrieval::Wanted, search::token::Token, value::Value};
use wasm_bindgen::{JsCast as _, JsValue, prelude::wasm_bindgen};
use worker::{Env, console_error};

use crate::{
    search_key::SearchKey,
    search_tables::{self, Entry, Statement},
    sql::NO_TABLE,
};

#[wasm_bindgen(module = "/src/search_database.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn batch(database: &JsValue, statements: &str, millis: f64) -> Result<Promise, JsValue>;
}

/// The binding of the only database in `wrangler.toml`. Several have this name with `_0`, `_1` and
/// so on.
const BINDING: &str = "SEARCH";

/// Longest time for what no one waits for, in milliseconds.
const PATIENCE_MILLIS: u64 = 20_000;

/// The databases of the deployment. Each owner has one of them.
#[derive(Clone, Debug)]
pub(crate) struct SearchDatabases(Vec<SearchDatabase>);

/// One database.
#[derive(Clone, Debug)]
pub(crate) struct SearchDatabase(JsValue);

/// Why a database did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It has no tables, or not all of them.
    Empty,
    /// It failed, or took too long.
    Failed,
}

/// What a database finds.
#[derive(Debug)]
pub(crate) struct Candidates {
    /// The best contexts, the best one first.
    pub(crate) addresses: Vec<Address>,
    /// How many of the owner's documents have each of the tokens that were asked for, by its text.
    frequencies: BTreeMap<String, u32>,
    /// The mark of the tables. It is that of the store's state if they have the store's documents.
    pub(crate) mark: String,
}

impl Candidates {
    /// How many of the owner's documents have a token that was asked for.
    pub(crate) fn frequency(&self, token: Token) -> u32 {
        self.frequencies.get(&token.to_text()).copied().unwrap_or_default()
    }
}

impl SearchDatabases {
    /// The databases that are bound.
    pub(crate) fn of(env: &Env) -> SearchDatabases {
        let bound = |name: &str| {
            let is_bound = Reflect::has(env, &name.into()).unwrap_or_default();
            let binding = is_bound.then(|| Reflect::get(env, &name.into()).ok()).flatten();
            binding.map(SearchDatabase)
        };
        let numbered = (0..).map_while(|number: u32| bound(&format!("{BINDING}_{number}")));
        SearchDatabases(bound(BINDING).into_iter().chain(numbered).collect())
    }

    /// Whether none is bound.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The database of an owner; `None` if there are none.
    pub(crate) fn of_owner(&self, name: &str) -> Option<&SearchDatabase> {
        let [first, rest @ ..] = self.0.as_slice() else { return None };
        if rest.is_empty() {
            return Some(first);
        }
        let sum = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        self.0.get((sum % self.0.len() as u64) as usize)
    }

    /// Drops all rows of an owner, in every database: there may have been fewer or more of them.
    ///
    /// # Errors
    /// If one did not answer.
    pub(crate) async fn erase(&self, name: &str) -> Result<(), Failure> {
        for database in &self.0 {
            database.erase(name).await?;
        }
        Ok(())
    }
}

impl SearchDatabase {
    /// Takes in what changed of an owner's contexts. Gives the mark of the tables.
    ///
    /// # Errors
    /// If it did not answer. It may have taken in everything nevertheless.
    pub(crate) async fn put(&self, name: &str, entries: &[Entry]) -> Result<String, Failure> {
        let statements = search_tables::put(name, entries).map_err(|_| Failure::Failed)?;
        let results = match self.run(&statements, PATIENCE_MILLIS).await {
            Err(Failure::Empty) => {
                self.make().await?;
                self.run(&statements, PATIENCE_MILLIS).await?
            }
            outcome => outcome?,
        };
        let (step, mark) = mark(&results).ok_or(Failure::Failed)?;
        let update = search_tables::update(step);
        if !update.is_empty() {
            self.run(&update, PATIENCE_MILLIS).await?;
        }
        Ok(mark)
    }

    /// The best contexts of a store for an expression of tokens.
    ///
    /// # Errors
    /// If it did not answer within the time.
    pub(crate) async fn query(
        &self,
        key: &SearchKey,
        wanted: &Wanted,
        budget_millis: u64,
    ) -> Result<Candidates, Failure> {
        let Wanted { expression, tokens, most, .. } = wanted;
        let statements = search_tables::query(&key.owner(), expression, tokens, *most as u64);
        let statements = statements.map_err(|_| Failure::Failed)?;
        let results = self.run(&statements, budget_millis).await?;
        let [best, frequencies, _] = results.as_slice() else { return Err(Failure::Failed) };
        let addresses = rows(best).filter_map(|row| key.open(&bytes(row.first()?.as_str()?)?));
        let frequency = |row: &[Value]| {
            let count = row.get(1)?.as_number()?.as_u64()?;
            Some((row.first()?.as_str()?.to_owned(), u32::try_from(count).unwrap_or(u32::MAX)))
        };
        Ok(Candidates {
            addresses: addresses.collect(),
            frequencies: rows(frequencies).filter_map(frequency).collect(),
            mark: mark(&results).ok_or(Failure::Failed)?.1,
        })
    }

    /// Whether it answers within the time, and has tables.
    pub(crate) async fn is_there(&self, budget_millis: u64) -> bool {
        let there = self.run(&search_tables::there(), budget_millis).await;
        there.is_ok_and(|there| first_number(&there) == Some(search_tables::ALL_THERE))
    }

    async fn erase(&self, name: &str) -> Result<(), Failure> {
        let statements = search_tables::erase(name);
        loop {
            let results = match self.run(&statements, PATIENCE_MILLIS).await {
                Err(Failure::Empty) => return Ok(()),
                outcome => outcome?,
            };
            if first_number(&results).ok_or(Failure::Failed)? == 0 {
                return Ok(());
            }
        }
    }

    /// Makes the tables, unless another object has done so meanwhile.
    async fn make(&self) -> Result<(), Failure> {
        let there = self.run(&search_tables::there(), PATIENCE_MILLIS).await?;
        if first_number(&there) != Some(search_tables::ALL_THERE) {
            self.run(&search_tables::make(), PATIENCE_MILLIS).await?;
        }
        Ok(())
    }

    /// Runs statements as one transaction; the rows of each.
    async fn run(&self, statements: &[Statement], millis: u64) -> Result<Vec<Value>, Failure> {
        let statements = String::from_utf8(search_tables::to_json(statements));
        let statements = statements.map_err(|_| Failure::Failed)?;
        let failed = |thrown: JsValue| {
            // It names tables and columns, never values.
            let said = thrown.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
            let said = said.unwrap_or_else(|| "threw no error".into());
            if said.contains(NO_TABLE) {
                return Failure::Empty;
            }
            console_error!("search database: {said}");
            Failure::Failed
        };
        let answer = batch(&self.0, &statements, millis as f64).map_err(failed)?;
        let answer = JsFuture::from(answer).await.map_err(failed)?;
        let answer = answer.as_string().unwrap_or_default();
        match json::read(answer.as_bytes(), RESULT_DEPTH) {
            Ok(Value::Array(results)) => Ok(results),
            _ => Err(Failure::Failed),
        }
    }
}

/// Results, rows, cells.
const RESULT_DEPTH: usize = 4;

fn rows(result: &Value) -> impl Iterator<Item = &[Value]> {
    result.as_array().unwrap_or_default().iter().filter_map(Value::as_array)
}

/// The only cell of the last result.
fn first_number(results: &[Value]) -> Option<u64> {
    rows(results.last()?).next()?.first()?.as_number()?.as_u64()
}

/// The last step and the mark, which are the last result.
fn mark(results: &[Value]) -> Option<(usize, String)> {
    let row = rows(results.last()?).next()?;
    let step = row.first()?.as_number()?.as_u64()?;
    Some((usize::try_from(step).ok()?, row.get(1)?.as_str()?.to_owned()))
}

/// Bytes of hexadecimal digits.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.as_bytes().chunks(2).map(pair).collect()
}
