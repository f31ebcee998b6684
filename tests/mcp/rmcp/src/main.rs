//! The official Rust client of the Model Context Protocol at work: `tests/mcp/rmcp.test.mjs` runs it
//! against a Worker and looks at what it prints.
//!
//! ```sh
//! nacre-rmcp-client URL TOKEN initialize|discover
//! ```
#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::{env, time::Duration};

use anyhow::{Context as _, Result, bail};
use rmcp::{
    ClientLifecycleMode, ClientServiceExt as _, Peer, RoleClient,
    model::{
        CallToolRequestParams, ClientConfig, GetPromptRequestParams, JsonObject, ProtocolVersion,
        ReadResourceRequestParams, SubscriptionFilter,
    },
    transport::{
        StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::{Value, json};

/// A resource that the client follows.
const VIEW: &str = "nacre://views/task/fix-login";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let [url, token, lifecycle] = arguments()?;
    let config = StreamableHttpClientTransportConfig::with_uri(url).auth_header(token);
    let is_stateless = lifecycle == "discover";
    let lifecycle = match is_stateless {
        true => ClientLifecycleMode::Discover {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        },
        false => ClientLifecycleMode::Initialize,
    };
    let client = ClientConfig::default()
        .serve_with_lifecycle(StreamableHttpClientTransport::from_config(config), lifecycle)
        .await?;
    let seen = worked(&client).await?;
    let updated = if is_stateless { Some(followed(&client).await?) } else { None };
    client.cancel().await?;
    println!("{}", json!({"seen": seen, "updated": updated}));
    Ok(())
}

fn arguments() -> Result<[String; 3]> {
    let given: Vec<String> = env::args().skip(1).collect();
    given.try_into().ok().context("usage: nacre-rmcp-client URL TOKEN initialize|discover")
}

/// What a client does at its work, and what it gets.
async fn worked(client: &Peer<RoleClient>) -> Result<Value> {
    let tools = client.list_all_tools().await?;
    let names: Vec<_> = tools.iter().map(|tool| &tool.name).collect();
    let place = json!({"level": "task", "context_id": "fix-login"});
    let note = json!({"action": "add_progress", "content": "noted by rmcp"});
    let written = call(client, "manage_context", &[&note, &place]).await?;
    let view = call(client, "resolve_context", &[&place]).await?;
    let missing = json!({"level": "task", "context_id": "fix-logn"});
    let refused = call(client, "resolve_context", &[&missing]).await?;
    let resource = client.read_resource(ReadResourceRequestParams::new(VIEW)).await?;
    let prompt = GetPromptRequestParams::new("load_task_context");
    let prompt = client.get_prompt(
        prompt.with_arguments(members(&[&json!({"level": "task", "id": "fix-login"})])),
    );
    let completed = client.complete_resource_simple("nacre://views/{level}/{id}", "level", "b");
    Ok(json!({
        "tools": names,
        "written": written,
        "view": view,
        "refused": refused,
        "resource": resource,
        "prompt": prompt.await?,
        "completed": completed.await?,
    }))
}

/// What a client is told of a resource that it follows, when it writes to it.
async fn followed(client: &Peer<RoleClient>) -> Result<Value> {
    let filter = SubscriptionFilter::builder().resource_subscription(VIEW).build();
    let mut followed = client.listen(filter).await?;
    let patch = json!({
        "action": "update", "level": "task", "context_id": "fix-login", "patch": {"seen": true},
    });
    call(client, "manage_context", &[&patch]).await?;
    let told = tokio::time::timeout(Duration::from_secs(10), followed.next()).await;
    let Some(told) = told.context("no update came")?? else { bail!("the stream has ended") };
    followed.cancel().await?;
    Ok(serde_json::to_value(told)?)
}

async fn call(
    client: &Peer<RoleClient>,
    tool: &'static str,
    arguments: &[&Value],
) -> Result<Value> {
    let call = CallToolRequestParams::new(tool).with_arguments(members(arguments));
    Ok(serde_json::to_value(client.call_tool(call).await?)?)
}

/// The members of all these objects.
fn members(objects: &[&Value]) -> JsonObject {
    objects.iter().filter_map(|object| object.as_object().cloned()).flatten().collect()
}
