//! A vector for a context, as a body has it.

use alloc::string::ToString;

use nacre_layers::{
    error::{Code, Error, Result},
    value::Value,
};
use nacre_search::semantic::vector::Vector;
use nacre_store::record::Record;
use nacre_wire::members::Members;

use crate::embedding;

/// A vector for a context as a body has it.
#[cfg(feature = "schema")]
#[derive(Debug, schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct VectorBody {
    /// The vector; null takes it away.
    #[schemars(schema_with = "embedding::schema")]
    pub vector: Value,
    /// The version of the context that it was made of; refused if the context has another one now.
    pub version: Option<u64>,
}

/// What becomes of a context's vector.
#[derive(Clone, Debug, PartialEq)]
pub struct GivenVector {
    /// The vector; `None` takes it away.
    pub vector: Option<Vector>,
    /// The version of the context that it was made of, if the caller says.
    version: Option<u64>,
}

impl GivenVector {
    /// Reads it from a JSON body.
    ///
    /// # Errors
    /// `invalid-request`.
    pub fn of_body(body: Value) -> Result<GivenVector> {
        let is_there = body.as_object().is_none_or(|body| body.get("vector").is_some());
        let mut body = Members::of(body)?;
        let vector = body.take::<Value>("vector")?.as_ref().map(embedding::read).transpose();
        let vector = vector.map_err(|error| error.at("/vector"))?;
        let version = body.take("version")?;
        body.end()?;
        if !is_there {
            let detail = "the member `vector` is required; null takes the vector away".to_string();
            return Err(Error::new(Code::InvalidRequest, detail).at(""));
        }
        Ok(GivenVector { vector, version })
    }

    /// Refuses a vector that was made of another version.
    ///
    /// # Errors
    /// `version-conflict`.
    pub fn check_version(&self, record: &Record) -> Result<()> {
        match self.version.is_none_or(|version| version == record.version) {
            true => Ok(()),
            false => Err(Error::new(
                Code::VersionConflict,
                "the context has another version than the vector was made of; make it anew",
            )
            .at("/version")),
        }
    }
}
