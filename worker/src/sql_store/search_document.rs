//! The row of a document: sealed, and cut to what fits.

use nacre_core::{
    entropy::Entropy,
    error::{Code, Error, Result},
    retrieval::Document,
    row::VALUE_BYTES,
    seal::{Keyring, seal_row},
    search::row::Row,
};

use super::search::DocumentColumns;

/// A sealed document. One that is too large for a row is cut: its first words stay.
pub(super) fn seal_document(
    document: &Document,
    keys: &Keyring,
    entropy: &mut Entropy,
) -> Result<Vec<u8>> {
    let Document { row, .. } = document;
    let words = u64::from(row.length);
    let columns = DocumentColumns { address: row.address.clone(), words };
    let mut seal = |document: &Document| match seal_row(
        keys,
        &columns.identity(),
        &document.encode(),
        entropy.array(),
    ) {
        Ok(sealed) => Ok((sealed.len() <= VALUE_BYTES).then_some(sealed)),
        Err(error) if error.code() == Code::TooLarge => Ok(None),
        Err(error) => Err(error),
    };
    if let Some(sealed) = seal(document)? {
        return Ok(sealed);
    }
    let mut cut = document.clone();
    loop {
        let has_changed = halve(&mut cut.row);
        match seal(&cut)? {
            Some(sealed) => return Ok(sealed),
            None if has_changed => {}
            None => return Err(Error::bug("a document without terms must fit into a row")),
        }
    }
}

/// Drops the later half of the words of a row, and what has none left; then of its other terms.
/// Returns whether there was something to drop.
fn halve(row: &mut Row) -> bool {
    let positions = row.terms.values().flat_map(|occurrences| &occurrences.positions);
    let (first, last) = (positions.clone().min().copied(), positions.max().copied());
    let Some((first, last)) = first.zip(last).filter(|(first, last)| first < last) else {
        let half = row.terms.len() / 2;
        let mut kept = 0..half;
        row.terms.retain(|_, _| kept.next().is_some());
        return half > 0;
    };
    let middle = first + (last - first) / 2;
    row.terms.retain(|_, occurrences| {
        let was_word = !occurrences.positions.is_empty();
        occurrences.positions.retain(|position| *position <= middle);
        !was_word || !occurrences.positions.is_empty()
    });
    true
}
