//! Bytes that are read, and how far reading has come: errors of `rmp-serde` do not say where.

use std::{
    cell::Cell,
    io::{self, ErrorKind, Read},
};

/// How far reading has come.
#[derive(Debug, Default)]
pub(crate) struct Offset {
    taken: Cell<usize>,
    ended: Cell<usize>,
}

impl Offset {
    /// How many bytes have been taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken.get()
    }

    /// How many bytes come before the part that the input is too short for: what follows the last
    /// marker, length or number.
    pub(crate) fn ended(&self) -> usize {
        self.ended.get()
    }
}

/// The bytes that are left.
pub(crate) struct Input<'a, 'p> {
    rest: &'a [u8],
    offset: &'p Offset,
}

impl<'a, 'p> Input<'a, 'p> {
    pub(crate) fn new(bytes: &'a [u8], offset: &'p Offset) -> Input<'a, 'p> {
        Input { rest: bytes, offset }
    }
}

impl Read for Input<'_, '_> {
    /// How `rmp-serde` reads strings and binary, as far as they are there.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.rest.read(out)?;
        self.offset.taken.set(self.offset.taken() + count);
        Ok(count)
    }

    /// How it reads everything else: whole, or nothing of it.
    fn read_exact(&mut self, out: &mut [u8]) -> io::Result<()> {
        let part = self.rest.split_at_checked(out.len());
        if let Some((part, rest)) = part {
            out.copy_from_slice(part);
            self.rest = rest;
            self.offset.taken.set(self.offset.taken() + part.len());
        }
        self.offset.ended.set(self.offset.taken());
        part.map(|_| ()).ok_or_else(|| ErrorKind::UnexpectedEof.into())
    }
}
