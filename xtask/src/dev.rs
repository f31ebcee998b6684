//! `cargo xtask dev`: the Worker on this machine, rebuilt when its source changes.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use crate::{
    bundle::{self, MODE_VARIABLE, Mode, Speed},
    token,
    tools::Tools,
    web,
};

/// Longest that the first answer may take; the build is done by then.
const START: Duration = Duration::from_secs(120);

/// The user of the token that is printed.
const USER: &str = "alice";

/// What is asked of `cargo xtask dev`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Port on 127.0.0.1
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// Folder that holds the stores [default: .wrangler/state in the checkout]
    #[arg(long, value_name = "DIR")]
    persist: Option<PathBuf>,
    #[command(flatten)]
    speed: Speed,
    /// Serve what the conformance suite of the Model Context Protocol asks for, to anyone, without a
    /// token
    #[arg(long)]
    conformance: bool,
}

/// `cargo xtask dev`.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode> {
    let Arguments { port, persist, speed, conformance } = arguments;
    let mode = if conformance { Mode::Conformance } else { speed.mode() };
    let persist = persist.map(std::path::absolute).transpose()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    drop(TcpListener::bind(address).with_context(|| format!("{address} is not free: try --port"))?);

    let tools = Tools::install()?;
    bundle::build(&tools, mode)?;
    web::build(&tools)?;
    token::local_secrets()?;

    let mut wrangler = tools
        .wrangler()
        .args(["dev", "--local", "--ip", "127.0.0.1", "--port", &port.to_string()])
        .arg("--show-interactive-dev-session=false")
        .env(MODE_VARIABLE, mode.name());
    if let Some(dir) = persist {
        wrangler = wrangler.arg("--persist-to").arg(dir);
    }
    Command::new(std::env::current_exe()?)
        .args(["announce", &port.to_string()])
        .stdin(Stdio::null())
        .spawn()
        .context("starting the watch for the first answer")?;
    become_wrangler(wrangler.into())
}

/// Replaces this process, so that whoever stops it stops wrangler itself.
#[cfg(unix)]
fn become_wrangler(mut wrangler: Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(wrangler.exec()).context("starting wrangler")
}

#[cfg(not(unix))]
fn become_wrangler(mut wrangler: Command) -> Result<ExitCode> {
    let status = wrangler.status().context("starting wrangler")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What `cargo xtask dev` asks of the program that waits beside wrangler.
#[derive(Debug, clap::Args)]
pub(crate) struct Announcement {
    port: u16,
}

/// Waits beside wrangler for the Worker's first answer, then prints what to try.
pub(crate) fn announce(announcement: &Announcement) -> Result<ExitCode> {
    let port = announcement.port;
    let wrangler = parent();
    let started = Instant::now();
    while !answers(port) {
        // Another parent means that wrangler has gone, and said why.
        if parent() != wrangler || started.elapsed() > START {
            return Ok(ExitCode::FAILURE);
        }
        thread::sleep(Duration::from_millis(200));
    }
    let token = token::mint(USER, None, token::DAY)?;
    println!("{}", welcome(port, &token));
    Ok(ExitCode::SUCCESS)
}

#[cfg(unix)]
fn parent() -> u32 {
    std::os::unix::process::parent_id()
}

#[cfg(not(unix))]
fn parent() -> u32 {
    0
}

/// Whether `GET /healthz` succeeds.
fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

fn welcome(port: u16, token: &str) -> String {
    let call = format!("curl -s -H 'authorization: Bearer {token}'");
    let json = "-H 'content-type: application/json' -d";
    let contexts = format!("http://127.0.0.1:{port}/v1/contexts");
    format!(
        "
Nacre listens on http://127.0.0.1:{port}. Its page, signed in as {USER} for a day:

http://127.0.0.1:{port}/#token={token}

The same token by itself:

{token}

Store a global layer, refine it in a project, read what the project sees:

{call} -X PUT {contexts}/global/global {json} '{{\"data\":{{\"style\":{{\"indent\":4,\"language\":\"en\"}}}}}}'

{call} -X PUT {contexts}/project/demo {json} '{{\"data\":{{\"style\":{{\"indent\":2}}}}}}'

{call} {contexts}/project/demo/resolved
"
    )
}
