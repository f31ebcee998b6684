//! Puts a pack together: the sections, then what fits besides, then the list of what does not.

use alloc::{
    boxed::Box,
    format,
    rc::Rc,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use nacre_layers::{
    address::Address,
    contribution::{Contribution, contribution, is_final},
    error::{Code, Error, Result},
    pointer::Pointer,
    resolve::Link,
};
use nacre_store::{
    limits,
    op::Caller,
    readable::Readable,
    record::{Entry, EntryKind, Record},
    store::{Reads, links},
};

use crate::{
    ask::{Ask, Format},
    fit::Fit,
    form::{Form, Frame, Rest},
    json::Json,
    left_out::{Group, LeftOut},
    markdown::Markdown,
    tokens::Counter,
};

/// Of the insights and of the progress notes of a layer, the newest so many may be told.
const ENTRIES: usize = 50;

/// The part of a section's room that insights and notes may have before values do.
const ENTRIES_PART: usize = 3;

/// The part of a pack that is kept for the list of what is left out.
const LIST_PART: usize = 16;

/// The tokens that are kept for it at least.
const LIST_LEAST: usize = 48;

/// Values that are tried in vain before no more are.
const TRIES: usize = 200;

/// Tokens that pieces may have more than the piece that they are put into had.
const SEAM: usize = 8;

/// A context pack.
#[derive(Clone, Debug, PartialEq)]
pub struct Pack {
    /// The text.
    pub text: String,
    /// Its tokens, as they were counted: at most as many as were asked for.
    pub tokens: usize,
    /// The commit that it shows.
    pub seq: u64,
}

/// Packs what a caller reads of a context's chain.
///
/// # Errors
/// `not-found`, `forbidden`.
pub fn pack(reads: &dyn Reads, caller: &Caller, ask: &Ask) -> Result<Pack> {
    let readable = Readable::of(reads, caller)?;
    let chain = readable.chain(reads, &ask.address)?;
    let form: Box<dyn Form> = match ask.format {
        Format::Markdown => Box::new(Markdown { calls: ask.calls }),
        Format::Json => Box::new(Json),
    };
    let frame = Frame {
        address: &ask.address,
        seq: reads.seq()?,
        hash: reads.view(&chain)?.hash.to_string(),
        max_tokens: ask.max_tokens,
        calls: ask.calls,
    };
    let mut packing = Packing {
        form: &*form,
        counter: ask.counter,
        origins: ask.origins,
        text: String::new(),
        used: 0,
        left: Vec::new(),
        left_entries: Vec::new(),
    };
    packing.push(form.head());
    let end = packing.room_of_end(&frame);
    if packing.used + end > ask.max_tokens {
        let least = packing.used + end;
        let detail = format!("`max_tokens` must be at least {least} for a context with this id");
        return Err(Error::new(Code::InvalidRequest, detail).at("/max_tokens"));
    }
    let list = (ask.max_tokens / LIST_PART).max(LIST_LEAST);
    let nameless = packing.room_of_end(&Frame { address: &Address::global(), ..frame.clone() });
    let links = links(&chain);
    for (layer, record) in chain.iter().enumerate() {
        // Each layer may use an equal part, and what those above it left over. Neither what stands below
        // nor the id at the end has a say, so that these leave the section as it is.
        let part = ask.max_tokens.saturating_sub(nameless + list) * (layer + 1) / chain.len();
        let most = part.min(ask.max_tokens.saturating_sub(end + list));
        let said = contribution(links.get(..=layer).unwrap_or_default());
        let newest = |kind| Ok((kind, readable.newest(reads, record, kind, ENTRIES + 1)?));
        let lists = [newest(EntryKind::Insight)?, newest(EntryKind::Progress)?];
        packing.section(layer, record, said, &lists, most.saturating_sub(packing.used));
    }
    let room = ask.max_tokens.saturating_sub(end + packing.used);
    Ok(packing.finish(&chain, &links, &frame, [room.saturating_sub(list), list.min(room)]))
}

/// A pack that is being put together.
struct Packing<'p, 'a> {
    form: &'p dyn Form,
    counter: Counter,
    origins: bool,
    text: String,
    /// The tokens of the text, at most.
    used: usize,
    left: Vec<Group<'a>>,
    /// Layers of which insights or notes are left out.
    left_entries: Vec<(usize, EntryKind)>,
}

impl<'a> Packing<'_, 'a> {
    fn push(&mut self, piece: &str) {
        self.text.push_str(piece);
        self.used += self.counter.count(piece);
    }

    fn close(&mut self, piece: &str) {
        self.form.close(&mut self.text, piece);
        self.used += self.counter.count(piece);
    }

    /// What stands behind the sections takes at most so many tokens, beside the places that it names. It is
    /// the same for all states of the store, so that sections have the same room.
    fn room_of_end(&self, frame: &Frame<'_>) -> usize {
        let most = frame.max_tokens.max(999_999);
        let rest = Rest { more: "-", left_out: "-", unlisted: most, tokens: most };
        // A hash of as many tokens as one can have.
        let hash = "A-".repeat(frame.hash.len().div_ceil(2));
        let frame = Frame { seq: limits::EXACT_INTEGER, hash, ..frame.clone() };
        self.counter.count(&self.form.end(&frame, &rest)) + SEAM
    }

    /// Tells what a layer says, as far as there is room.
    fn section(
        &mut self,
        layer: usize,
        record: &Record,
        said: Contribution<'a>,
        lists: &[(EntryKind, Vec<Entry>)],
        room: usize,
    ) {
        let form = self.form;
        let open = form.open_section(&record.heading, self.origins, said.replaces);
        let frame = [&open, form.close_data(), form.close_section()];
        let frame: usize = frame.iter().map(|piece| self.counter.count(piece)).sum();
        let Some(mut room) = room.checked_sub(frame) else {
            self.left.push(Group::of_layer(layer, said));
            let there = lists.iter().filter(|(_, entries)| !entries.is_empty());
            self.left_entries.extend(there.map(|(kind, _)| (layer, *kind)));
            return;
        };
        // Insights and notes have a part of the room first, and what values leave of it.
        let mut told = vec![Vec::new(); lists.len()];
        let kept = room / ENTRIES_PART;
        let mut left = kept;
        for ((kind, entries), told) in lists.iter().zip(&mut told) {
            self.entries(*kind, entries, told, &mut left);
        }
        room -= kept - left;
        self.push(&open);
        let mut fit = Fit { form, counter: self.counter, layer, left: Vec::new() };
        let before = room;
        let data = fit.members(said.members, &mut Pointer::root(), 0, &mut room);
        self.left.append(&mut fit.left);
        self.text.push_str(&data);
        self.used += before - room;
        self.close(form.close_data());
        for ((kind, entries), told) in lists.iter().zip(&mut told) {
            self.entries(*kind, entries, told, &mut room);
            if told.len() < entries.len() {
                self.left_entries.push((layer, *kind));
            }
            if !told.is_empty() {
                self.push(form.open_entries(*kind));
                told.iter().for_each(|entry| self.push(entry));
                self.close(form.close_entries());
            }
        }
        self.close(form.close_section());
    }

    /// Tells the newest entries that are not told yet, as long as each fits.
    fn entries(
        &self,
        kind: EntryKind,
        entries: &[Entry],
        told: &mut Vec<String>,
        room: &mut usize,
    ) {
        for entry in entries.iter().take(ENTRIES).skip(told.len()) {
            let text = self.form.entry(entry);
            let mut cost = self.counter.count(&text);
            if told.is_empty() {
                let frame = [self.form.open_entries(kind), self.form.close_entries()];
                cost += frame.map(|piece| self.counter.count(piece)).iter().sum::<usize>();
            }
            let Some(rest) = room.checked_sub(cost) else { return };
            *room = rest;
            told.push(text);
        }
    }

    /// Uses what room is left: for values first, then for the list of the places that do not fit.
    fn finish(
        mut self,
        chain: &[Rc<Record>],
        links: &[Link<'_>],
        frame: &Frame<'_>,
        [mut room, list]: [usize; 2],
    ) -> Pack {
        self.form.close(&mut self.text, "");
        let more = self.more(chain, links, &mut room);
        room += list;
        let (mut left_out, mut unlisted) = (String::new(), 0);
        let of = |layer: usize| chain.get(layer).map(|record| &record.address);
        let groups = self
            .left
            .iter()
            .flat_map(|group| group.places().into_iter().map(move |place| (group.layer, place)));
        let entries = self
            .left_entries
            .iter()
            .map(|(layer, kind)| (*layer, LeftOut::Entries { kind: *kind }));
        for (layer, place) in entries.chain(groups) {
            let Some(of) = of(layer) else { continue };
            let line = self.form.left_out(of, &place);
            match room.checked_sub(self.counter.count(&line)) {
                Some(rest) if unlisted == 0 => {
                    room = rest;
                    left_out.push_str(&line);
                }
                _ => unlisted += place.count(),
            }
        }
        let mut rest =
            Rest { more: &more, left_out: &left_out, unlisted, tokens: frame.max_tokens };
        // Counted with the largest number that may stand in it.
        let count = |rest: &Rest<'_>| self.counter.count(&self.form.end(frame, rest));
        rest.tokens = self.counter.count(&self.text) + count(&rest);
        let text = self.text + &self.form.end(frame, &rest);
        Pack { text, tokens: rest.tokens, seq: frame.seq }
    }

    /// Values that did not fit their sections. They stand below all sections, so only those are told that
    /// no layer below theirs changes.
    fn more(&mut self, chain: &[Rc<Record>], links: &[Link<'_>], room: &mut usize) -> String {
        let (form, counter) = (self.form, self.counter);
        let (mut more, mut tries) = (String::new(), 0);
        for group in &mut self.left {
            let Some(of) = chain.get(group.layer).map(|record| &record.address) else { continue };
            let (layer, at) = (group.layer, &group.at);
            group.members.retain(|member| {
                let Some(stored) = member.stored.filter(|_| tries < TRIES) else { return true };
                tries += 1;
                if counter.least(member.bytes) > *room {
                    return true;
                }
                let place = at.child(&member.name);
                if !is_final(links, layer, &place) {
                    return true;
                }
                let text = form.more(of, &place, stored);
                let Some(rest) = room.checked_sub(counter.count(&text)) else { return true };
                *room = rest;
                tries -= 1;
                more.push_str(&text);
                false
            });
        }
        self.left.retain(|group| !group.members.is_empty());
        more
    }
}
