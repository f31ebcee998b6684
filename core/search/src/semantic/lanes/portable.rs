//! Lanes as arrays, for targets without wasm's vector instructions.

/// Eight numbers of 16 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Eight([i16; 8]);

impl Eight {
    pub(crate) fn new(numbers: [i16; 8]) -> Eight {
        Eight(numbers)
    }

    /// The 32 int4 values of 16 bytes, each times a factor: those of the low halves, then those of
    /// the high halves.
    pub(crate) fn unpack(bytes: &[u8; 16], factor: i16) -> [Eight; 4] {
        let (first, second) = bytes.split_at(8);
        let low = |byte: u8| i16::from((byte << 4).cast_signed() >> 4);
        let high = |byte: u8| i16::from(byte.cast_signed() >> 4);
        [
            Eight::of(first, |byte| low(byte).wrapping_mul(factor)),
            Eight::of(second, |byte| low(byte).wrapping_mul(factor)),
            Eight::of(first, |byte| high(byte).wrapping_mul(factor)),
            Eight::of(second, |byte| high(byte).wrapping_mul(factor)),
        ]
    }

    fn of(bytes: &[u8], number: impl Fn(u8) -> i16) -> Eight {
        let mut numbers = [0; 8];
        for (to, &byte) in numbers.iter_mut().zip(bytes) {
            *to = number(byte);
        }
        Eight(numbers)
    }

    /// The four pairs of neighbours, each repeated four times.
    pub(crate) fn pairs(self) -> [Eight; 4] {
        let [a, b, c, d, e, f, g, h] = self.0;
        [(a, b), (c, d), (e, f), (g, h)].map(|(a, b)| Eight([a, b, a, b, a, b, a, b]))
    }
}

/// Four numbers of 32 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sums([i32; 4]);

impl Sums {
    /// Four times a number.
    pub(crate) fn all(number: i32) -> Sums {
        Sums([number; 4])
    }

    /// Adds, for each pair of neighbours, the sum of its two products.
    pub(crate) fn add_products(self, left: Eight, right: Eight) -> Sums {
        let product = |place: usize| -> i32 {
            let of = |eight: Eight| i32::from(eight.0.get(place).copied().unwrap_or(0));
            of(left).wrapping_mul(of(right))
        };
        let mut sums = self.0;
        for (place, sum) in sums.iter_mut().enumerate() {
            let products = product(2 * place).wrapping_add(product(2 * place + 1));
            *sum = sum.wrapping_add(products);
        }
        Sums(sums)
    }

    /// The larger number of each place.
    pub(crate) fn larger(self, other: Sums) -> Sums {
        let mut larger = self.0;
        for (larger, other) in larger.iter_mut().zip(other.0) {
            *larger = (*larger).max(other);
        }
        Sums(larger)
    }

    /// The largest of the four.
    pub(crate) fn largest(self) -> i32 {
        let [a, b, c, d] = self.0;
        a.max(b).max(c.max(d))
    }
}
