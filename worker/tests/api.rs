//! The HTTP contract from end to end, without a platform: requests as data through the mapping,
//! the core's decisions and the store in memory. Every response is held against `openapi.json`.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code stops at the first surprise"
)]

#[path = "api/bulk.rs"]
mod bulk;
#[path = "api/cases.rs"]
mod cases;
#[path = "api/conform.rs"]
mod conform;
#[path = "api/contexts.rs"]
mod contexts;
#[path = "api/edges.rs"]
mod edges;
#[path = "api/errors.rs"]
mod errors;
#[path = "api/history.rs"]
mod history;
#[path = "api/promotions.rs"]
mod promotions;
#[path = "api/revocations.rs"]
mod revocations;
#[path = "api/secrets.rs"]
mod secrets;
#[path = "api/service.rs"]
mod service;
#[path = "api/sharing.rs"]
mod sharing;
#[path = "api/sweep.rs"]
mod sweep;
#[path = "api/templates.rs"]
mod templates;
#[path = "api/views.rs"]
mod views;
