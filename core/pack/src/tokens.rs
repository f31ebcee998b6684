//! Counting the tokens of a text without the tokenizer of a model.

/// How tokens are counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Counter {
    /// For any model: more than the tokenizers of current models make of texts and of JSON.
    ///
    /// | text | tokens |
    /// |---|---|
    /// | a run of ASCII letters, up to where a capital follows a small one; a capital counts as three | 1 for each 4 begun of the first 8, then 1 for each 2 begun |
    /// | a run of digits | 1 for each 2 begun |
    /// | a run of ASCII punctuation | 3 for each 4 begun |
    /// | one space | with what follows |
    /// | other white space, a run | 1 for each 4 begun |
    /// | any other letter or sign | 1 if UTF-8 takes two bytes for it, 2 for three, 3 for four |
    Cautious,
    /// By a ratio that the caller knows for their model and their kind of text: bytes of UTF-8 for each
    /// token.
    BytesPerToken(f64),
}

/// What a run of characters is made of.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Letters,
    Digits,
    Signs,
    Blanks,
    Other,
}

impl Kind {
    fn of(c: char) -> Kind {
        match c {
            'a'..='z' | 'A'..='Z' => Kind::Letters,
            '0'..='9' => Kind::Digits,
            c if c.is_ascii_whitespace() || c.is_ascii_control() => Kind::Blanks,
            c if c.is_ascii() => Kind::Signs,
            _ => Kind::Other,
        }
    }

    /// The tokens of a run of `length` characters.
    fn tokens(self, length: usize) -> usize {
        match self {
            Kind::Letters => length.min(8).div_ceil(4) + length.saturating_sub(8).div_ceil(2),
            Kind::Digits => length.div_ceil(2),
            Kind::Signs => (3 * length).div_ceil(4),
            Kind::Blanks => length.div_ceil(4),
            Kind::Other => length,
        }
    }
}

impl Counter {
    /// The tokens of a text. Of two texts together there are not more than of each alone.
    pub fn count(self, text: &str) -> usize {
        match self {
            Counter::Cautious => cautious(text),
            Counter::BytesPerToken(ratio) => {
                let tokens = text.len() as f64 / ratio;
                let whole = tokens as usize;
                whole + usize::from(tokens > whole as f64)
            }
        }
    }

    /// The fewest tokens that a text of so many bytes can have: what is above some room by this needs
    /// no closer look.
    pub fn least(self, bytes: usize) -> usize {
        match self {
            // Four letters with a space before them are one token; nothing is longer.
            Counter::Cautious => bytes / 5,
            Counter::BytesPerToken(ratio) => (bytes as f64 / ratio) as usize,
        }
    }
}

fn cautious(text: &str) -> usize {
    let mut tokens = 0;
    let (mut kind, mut length, mut is_small) = (Kind::Other, 0, false);
    let mut end = |kind: Kind, length: usize, is_single_space: bool| {
        if !is_single_space {
            tokens += kind.tokens(length);
        }
    };
    let mut first = ' ';
    for c in text.chars() {
        let next = Kind::of(c);
        let is_word_end = is_small && c.is_ascii_uppercase();
        if next != kind || is_word_end {
            end(kind, length, kind == Kind::Blanks && length == 1 && first == ' ');
            (kind, length, first) = (next, 0, c);
        }
        length += match next {
            Kind::Other => c.len_utf8() - 1,
            Kind::Letters if c.is_ascii_uppercase() => 3,
            _ => 1,
        };
        is_small = c.is_ascii_lowercase();
    }
    end(kind, length, false);
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cautious_counts_follow_the_table() {
        for (text, tokens) in [
            ("", 0),
            ("pool", 1),
            ("the pool", 2),
            ("connection", 3),
            ("internationalization", 8),
            ("maxPoolSize", 5),
            ("5432", 2),
            ("\":\"", 3),
            ("a\n\n  b", 3),
            ("é", 1),
            ("接続", 4),
            ("🦪", 3),
            ("a ", 2),
        ] {
            assert_eq!(Counter::Cautious.count(text), tokens, "{text:?}");
        }
    }

    #[test]
    fn parts_have_as_many_tokens_as_the_whole_or_more() {
        let text = "- url: \"https://Example.org/a?b=1\"  \n\tnaïve 日本 2026-11-30 x";
        for counter in [Counter::Cautious, Counter::BytesPerToken(3.3)] {
            let whole = counter.count(text);
            for (at, _) in text.char_indices() {
                let (a, b) = text.split_at(at);
                assert!(counter.count(a) + counter.count(b) >= whole, "{a:?} {b:?}");
                assert!(counter.least(a.len()) <= counter.count(a), "{a:?}");
            }
        }
    }

    #[test]
    fn a_ratio_counts_bytes_and_rounds_up() {
        assert_eq!(Counter::BytesPerToken(4.0).count("12345"), 2);
        assert_eq!(Counter::BytesPerToken(4.0).count("1234"), 1);
    }
}
