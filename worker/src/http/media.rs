//! Media types of bodies and answers (RFC 9110 §8.3, §12.5.1).

use nacre_core::{
    error::{Code, Error, Result},
    value::Value,
};

use super::routes::Body;
use crate::format::Format;

/// The media type of JSON.
pub(super) const JSON: &str = "application/json";
/// The media type of plain text.
pub(super) const TEXT: &str = "text/plain; charset=utf-8";
/// The media type of MessagePack.
pub(super) const MSGPACK: &str = "application/msgpack";
/// The media type of errors (RFC 9457).
pub(super) const PROBLEM: &str = "application/problem+json";
/// The media type of a merge patch (RFC 7396).
pub(super) const MERGE_PATCH: &str = "application/merge-patch+json";
/// The media type of a JSON Patch (RFC 6902).
pub(super) const JSON_PATCH: &str = "application/json-patch+json";
/// The media type of JSON lines.
pub(super) const LINES: &str = "application/x-ndjson";
/// A context pack for a prompt (RFC 7763).
pub(super) const MARKDOWN: &str = "text/markdown; charset=utf-8";

/// The format that `Accept` prefers. A client that accepts neither gets JSON, which RFC 9110
/// §12.5.1 allows.
pub(super) fn preferred(accept: Option<&str>) -> Format {
    let Some(accept) = accept else { return Format::Json };
    let (mut json, mut msgpack) = (Weight::UNSAID, Weight::UNSAID);
    for range in accept.split(',') {
        let (media, parameters) = split(range);
        let weight = quality(parameters);
        let (for_json, for_msgpack) = match media.as_str() {
            JSON => (3, 0),
            MSGPACK | "application/x-msgpack" | "application/vnd.msgpack" => (0, 3),
            "application/*" => (2, 2),
            "*/*" => (1, 1),
            _ => continue,
        };
        json.say(for_json, weight);
        msgpack.say(for_msgpack, weight);
    }
    // JSON wins a tie.
    if msgpack.quality > json.quality { Format::MsgPack } else { Format::Json }
}

/// Whether `Accept-Encoding` allows gzip (RFC 9110 §12.5.3). Without the header it is not assumed.
pub(super) fn accepts_gzip(accept: Option<&str>) -> bool {
    let (mut named, mut any) = (None, None);
    for range in accept.unwrap_or_default().split(',') {
        let (coding, parameters) = split(range);
        match coding.as_str() {
            "gzip" | "x-gzip" => named = Some(quality(parameters)),
            "*" => any = Some(quality(parameters)),
            _ => {}
        }
    }
    named.or(any).is_some_and(|quality| quality > 0)
}

/// The weight of a media type: the most specific range decides.
#[derive(Clone, Copy)]
struct Weight {
    exactness: u8,
    quality: u16,
}

impl Weight {
    const UNSAID: Weight = Weight { exactness: 0, quality: 0 };

    fn say(&mut self, exactness: u8, quality: u16) {
        if exactness > self.exactness {
            *self = Weight { exactness, quality };
        }
    }
}

/// A media type in lower case, and its parameters.
fn split(text: &str) -> (String, &str) {
    let (media, parameters) = text.split_once(';').unwrap_or((text, ""));
    (media.trim().to_ascii_lowercase(), parameters)
}

fn parameter<'p>(parameters: &'p str, wanted: &str) -> Option<&'p str> {
    parameters
        .split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))
        .map(|(_, value)| value.trim().trim_matches('"'))
}

/// The weight `q`, in thousandths.
fn quality(parameters: &str) -> u16 {
    let weight: f32 = parameter(parameters, "q").and_then(|q| q.parse().ok()).unwrap_or(1.0);
    (weight.clamp(0.0, 1.0) * 1000.0) as u16
}

/// How a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// No body.
    Nothing,
    /// As JSON.
    Json,
    /// As MessagePack.
    MsgPack,
    /// As a merge patch in JSON.
    MergePatch,
    /// As a JSON Patch in JSON.
    JsonPatch,
    /// As a patch in MessagePack: a map is a merge patch, an array is a JSON Patch.
    PackedPatch,
    /// Line by line, each as JSON.
    Lines,
}

impl Reader {
    /// The reader for a body of this media type.
    ///
    /// # Errors
    /// `unsupported-media-type`, with the accepted types.
    pub(super) fn choose(
        body: Body,
        content_type: Option<&str>,
        content_encoding: Option<&str>,
    ) -> Result<Reader> {
        if body == Body::None {
            return Ok(Reader::Nothing);
        }
        let plain = |coding: &str| coding.trim().eq_ignore_ascii_case("identity");
        if content_encoding.is_some_and(|coding| !coding.trim().is_empty() && !plain(coding)) {
            return Err(unsupported(
                "Content-Encoding is not supported; send the body uncompressed",
            ));
        }
        let (media, parameters) = content_type.map(split).unwrap_or_default();
        let utf8 = parameter(parameters, "charset").is_none_or(|set| {
            set.eq_ignore_ascii_case("utf-8") || set.eq_ignore_ascii_case("us-ascii")
        });
        if !utf8 {
            return Err(unsupported("the charset in Content-Type must be UTF-8"));
        }
        Ok(match (body, media.as_str()) {
            (Body::Typed(_) | Body::Optional(_), JSON | "") => Reader::Json,
            (Body::Typed(_) | Body::Optional(_), MSGPACK) => Reader::MsgPack,
            (Body::Patch, MERGE_PATCH) => Reader::MergePatch,
            (Body::Patch, JSON_PATCH) => Reader::JsonPatch,
            (Body::Patch, MSGPACK) => Reader::PackedPatch,
            (Body::Lines, LINES | "application/ndjson" | "") => Reader::Lines,
            (Body::Patch, _) => {
                return Err(unsupported(
                    "Content-Type must be application/merge-patch+json, \
                     application/json-patch+json or application/msgpack",
                ));
            }
            (Body::Lines, _) => {
                return Err(unsupported("Content-Type must be application/x-ndjson"));
            }
            _ => {
                return Err(unsupported(
                    "Content-Type must be application/json or application/msgpack",
                ));
            }
        })
    }

    /// Reads a complete body.
    ///
    /// # Errors
    /// `invalid-json`, `too-deep`, `too-large`.
    pub(super) fn read(self, body: &[u8]) -> Result<Value> {
        match self {
            Reader::MsgPack | Reader::PackedPatch => Format::MsgPack.read(body),
            _ => Format::Json.read(body),
        }
    }
}

fn unsupported(detail: &'static str) -> Error {
    Error::new(Code::UnsupportedMediaType, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::routes::BodyType;

    #[test]
    fn gzip_is_used_only_where_it_is_accepted() {
        for (accept, accepted) in [
            (None, false),
            (Some(""), false),
            (Some("br"), false),
            (Some("gzip"), true),
            (Some("br, X-GZip;q=0.5"), true),
            (Some("gzip;q=0"), false),
            (Some("*"), true),
            (Some("*;q=0"), false),
            (Some("gzip;q=0, *"), false),
            (Some("identity"), false),
        ] {
            assert_eq!(accepts_gzip(accept), accepted, "{accept:?}");
        }
    }

    #[test]
    fn accept_chooses_by_weight_and_exactness() {
        for (accept, format) in [
            (None, Format::Json),
            (Some(""), Format::Json),
            (Some("*/*"), Format::Json),
            (Some("text/html, */*;q=0.1"), Format::Json),
            (Some("application/json"), Format::Json),
            (Some("application/msgpack"), Format::MsgPack),
            (Some("Application/MsgPack ; q=0.9, */*;q=0.1"), Format::MsgPack),
            (Some("application/json, application/msgpack"), Format::Json),
            (Some("application/json;q=0.5, application/msgpack;q=0.6"), Format::MsgPack),
            (Some("application/json;q=0, application/*"), Format::MsgPack),
            (Some("application/msgpack;q=0"), Format::Json),
            (Some("application/x-msgpack"), Format::MsgPack),
            (Some("text/csv"), Format::Json),
        ] {
            assert_eq!(preferred(accept), format, "{accept:?}");
        }
    }

    #[test]
    fn a_body_is_read_as_its_media_type_says() {
        let typed = Body::Typed(BodyType::Put);
        let choose = |body, media| Reader::choose(body, media, None);
        assert_eq!(choose(typed, Some("application/json; charset=UTF-8")), Ok(Reader::Json));
        assert_eq!(choose(typed, None), Ok(Reader::Json));
        assert_eq!(choose(typed, Some("application/msgpack")), Ok(Reader::MsgPack));
        assert_eq!(choose(Body::Patch, Some(MERGE_PATCH)), Ok(Reader::MergePatch));
        assert_eq!(choose(Body::Patch, Some(JSON_PATCH)), Ok(Reader::JsonPatch));
        assert_eq!(choose(Body::Patch, Some(MSGPACK)), Ok(Reader::PackedPatch));
        assert_eq!(choose(Body::Lines, Some(LINES)), Ok(Reader::Lines));
        assert_eq!(choose(Body::None, Some("text/plain")), Ok(Reader::Nothing));
        for (body, media) in [
            (typed, "text/plain"),
            (typed, "application/json; charset=latin1"),
            (typed, MERGE_PATCH),
            (Body::Patch, JSON),
            (Body::Patch, ""),
            (Body::Lines, JSON),
        ] {
            let error = choose(body, Some(media)).unwrap_err();
            assert_eq!(error.code(), Code::UnsupportedMediaType, "{body:?} {media}");
        }
        assert!(Reader::choose(typed, Some(JSON), Some("gzip")).is_err());
        assert!(Reader::choose(typed, Some(JSON), Some("identity")).is_ok());
    }
}
