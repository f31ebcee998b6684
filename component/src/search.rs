//! `search`: searches of contexts that the host keeps.

use alloc::{string::String, vec::Vec};
use core::cell::RefCell;

use nacre_core::{
    error::{Error, Result},
    retrieval::{self, ContextTexts},
};

use crate::{
    Component,
    bindings::exports::nacre::context::{
        search::{self as wit, Guest, GuestCollection, GuestModels, ModelsBorrow},
        types,
    },
    bounds::{check_memory, check_text},
    convert::json_text,
};

/// The models, for all collections of the instance.
pub(crate) struct Models(retrieval::Models<'static>);

/// A collection, called by one call at a time.
pub(crate) struct Collection(RefCell<retrieval::Collection>);

impl Guest for Component {
    type Models = Models;
    type Collection = Collection;
}

impl GuestModels for Models {
    fn load(
        vocabulary: Vec<u8>,
        table: Vec<u8>,
        expansion: Vec<u8>,
        sparse: Vec<u8>,
    ) -> Result<wit::Models, types::Error> {
        check_memory()?;
        // Checked before they are kept for good.
        retrieval::Models::read(&vocabulary, &table, &expansion)?.with_sparse(&sparse)?;
        let models = retrieval::Models::read(vocabulary.leak(), table.leak(), expansion.leak())?
            .with_sparse(sparse.leak())?;
        Ok(wit::Models::new(Models(models)))
    }
}

impl Collection {
    /// Changes the collection.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut retrieval::Collection) -> Result<T>,
    ) -> Result<T, types::Error> {
        check_memory()?;
        let mut collection = self.0.try_borrow_mut().map_err(|_| in_use())?;
        Ok(change(&mut collection)?)
    }

    /// A number of contexts.
    fn count(&self, count: impl FnOnce(&retrieval::Collection) -> usize) -> u32 {
        let count = self.0.try_borrow().map_or(0, |collection| count(&collection));
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

impl GuestCollection for Collection {
    fn new() -> Collection {
        Collection(RefCell::default())
    }

    fn put(
        &self,
        context: String,
        seq: u64,
        insights: String,
        progress: String,
    ) -> Result<(), types::Error> {
        for text in [&context, &insights, &progress] {
            check_text(text)?;
        }
        let given =
            ContextTexts { context: &context, seq, insights: &insights, progress: &progress };
        self.change(|collection| collection.put(&given))
    }

    fn remove(&self, address: types::Address) -> Result<(), types::Error> {
        self.change(|collection| {
            collection.remove(&address.try_into()?);
            Ok(())
        })
    }

    fn documents(&self) -> u32 {
        self.count(retrieval::Collection::documents)
    }

    fn waiting(&self) -> u32 {
        self.count(retrieval::Collection::waiting)
    }

    fn encode(&self, models: ModelsBorrow<'_>) -> Result<Option<wit::Encoded>, types::Error> {
        let encoded = self.change(|collection| collection.encode(&models.get::<Models>().0))?;
        Ok(encoded.map(|(address, meaning)| wit::Encoded {
            address: (&address).into(),
            meaning: meaning.to_bytes(),
        }))
    }

    fn give_meaning(
        &self,
        address: types::Address,
        meaning: Vec<u8>,
    ) -> Result<bool, types::Error> {
        self.change(|collection| collection.give_meaning(&address.try_into()?, &meaning))
    }

    fn give_vector(&self, address: types::Address, vector: Vec<f32>) -> Result<(), types::Error> {
        self.change(|collection| collection.give_vector(&address.try_into()?, &vector))
    }

    fn find(
        &self,
        question: String,
        models: Option<ModelsBorrow<'_>>,
    ) -> Result<String, types::Error> {
        check_memory()?;
        check_text(&question)?;
        let models = models.as_ref().map(|models| &models.get::<Models>().0);
        let collection = self.0.try_borrow().map_err(|_| in_use())?;
        Ok(json_text(collection.find(&question, models)?))
    }
}

/// A component is never re-entered, so this cannot happen.
fn in_use() -> Error {
    Error::bug("the collection is in use by another call")
}
