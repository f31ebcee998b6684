//! A server and devices that hold replicas of it, all in memory: whoever calls carries what travels.

use std::collections::{BTreeMap, BTreeSet};

use nacre_core::{
    address::Address,
    error::Code,
    history::state_at,
    json,
    live::Notice,
    moment::Moment,
    op::Command,
    plan::{Changed, Event},
    replica::{Replica, Step, queue_key},
    store::Reads as _,
    value::Value,
    wire::{Answer, live::Telling, operation::BatchBody, problem, request},
};

use crate::{Json, list, parse, world::World};

/// The server, and what it has announced.
pub struct Server {
    /// Its rows.
    pub world: World,
    said: Vec<(u64, String)>,
    /// Every value that ever stood at a place of a context, as text.
    pub ever: BTreeSet<(String, String)>,
}

impl Server {
    /// An empty one.
    pub fn empty() -> Server {
        Server { world: World::empty(), said: Vec::new(), ever: BTreeSet::new() }
    }

    fn seq(&self) -> u64 {
        self.world.store.seq().unwrap()
    }

    fn run(&mut self, command: impl Into<Command>) -> Result<String, String> {
        match self.world.plan(command) {
            Ok(plan) => {
                self.world.store.apply(&plan.writes);
                for event in &plan.events {
                    self.announce(event, plan.seq);
                }
                let answer = Answer::of(&plan.reply, plan.seq).unwrap();
                Ok(String::from_utf8(answer.body).unwrap())
            }
            Err(error) => Err(String::from_utf8(problem(&error)).unwrap()),
        }
    }

    fn announce(&mut self, event: &Event, seq: u64) {
        if let Event::Change(changed) = event {
            let Changed { context, .. } = &**changed;
            let current = self.world.store.record(&context.address).unwrap().unwrap();
            let (_, state) = state_at(&self.world.store, &current, context.version).unwrap();
            let data = String::from_utf8(state.layer.text().to_vec()).unwrap();
            self.ever.insert((context.address.to_string(), data));
        }
        let message = Telling::notice(&Notice::from(event)).message(Some("t0"));
        self.said.push((seq, String::from_utf8(json::write(&message)).unwrap()));
    }

    /// Carries out the body of a batch; gives the body of the answer.
    ///
    /// # Errors
    /// The body of the problem, when it is refused.
    pub fn batch(&mut self, body: &str) -> Result<String, String> {
        let body: BatchBody = request::decode(parse(body)).unwrap();
        self.run(body.into_batch().unwrap())
    }
}

/// A device: a replica, and what it keeps.
pub struct Device {
    /// What it shows.
    pub replica: Replica,
    /// What would be left of it after a crash.
    pub kept: BTreeMap<String, Vec<u8>>,
    place: u64,
    /// How many of the server's messages it has had.
    heard: usize,
    /// What keys of its writes begin with.
    pub name: &'static str,
    /// How many writes it has queued.
    pub writes: usize,
    /// What it was told of its writes.
    pub told: Vec<Json>,
}

impl Device {
    /// One that has just fetched everything.
    pub fn new(name: &'static str, server: &mut Server) -> Device {
        let replica = Replica::new("alice").unwrap();
        let mut device = Device {
            replica,
            kept: BTreeMap::new(),
            place: 0,
            heard: 0,
            name,
            writes: 0,
            told: Vec::new(),
        };
        device.fetch(server);
        device
    }

    /// Fetches everything anew.
    pub fn fetch(&mut self, server: &mut Server) {
        let seq = server.seq();
        let step = self.replica.open(&server.world.export(false), seq, None).unwrap();
        self.heard = server.said.len();
        self.keep(step);
    }

    /// Stores what the replica says has to be stored.
    pub fn keep(&mut self, step: Step) {
        if step.anew {
            self.kept.retain(|key, _| key.starts_with("q/"));
        }
        let told = |told: &Value| serde_json::from_slice(&json::write(told)).unwrap();
        self.told.extend(step.told.iter().map(told));
        for (key, value) in step.entries {
            match value {
                Some(value) => drop(self.kept.insert(key, value)),
                None => drop(self.kept.remove(&key)),
            }
        }
    }

    /// Queues a write, unless the replica refuses it.
    pub fn write(&mut self, op: &str, n: u64) -> bool {
        let key = format!("{}{n}", self.name);
        let Ok(decided) = self.replica.write(vec![parse(op)], &key, Moment(n)) else {
            return false;
        };
        let mut queued = Vec::new();
        for kept in decided.kept {
            self.place += 1;
            self.kept.insert(queue_key(self.place), kept.clone());
            queued.push((self.place, kept));
        }
        self.writes += queued.len();
        self.replica.queue(queued).unwrap();
        true
    }

    /// The writes that it was told are refused.
    pub fn refusals(&self) -> Vec<&Json> {
        self.told.iter().filter(|told| told["state"] == "refused").collect()
    }

    /// Starts again with what is on the device.
    pub fn crash(&mut self, server: &Server) {
        self.replica = Replica::new("alice").unwrap();
        let kept = self.kept.iter().map(|(key, value)| (key.clone(), Some(value.clone())));
        self.replica.absorb(kept.collect(), true).unwrap();
        self.reconnect(server);
    }

    /// Comes back over another connection, which tells what came after the commit that is known.
    pub fn reconnect(&mut self, server: &Server) {
        self.heard = server.said.partition_point(|(seq, _)| *seq <= self.replica.seq());
    }

    /// Hears up to `most` messages, or all of them and that they are all.
    pub fn hear(&mut self, server: &mut Server, most: Option<usize>) {
        if self.replica.under_way().is_some() {
            return;
        }
        // Messages of the commit that is known come again after a crash, as `since` has it.
        let from =
            self.heard.min(server.said.partition_point(|(seq, _)| *seq <= self.replica.seq()));
        let upto = most.map_or(server.said.len(), |most| (from + most).min(server.said.len()));
        let part = &server.said[from..upto];
        let seq = match most {
            None => server.seq(),
            Some(_) => part.last().map_or(0, |(seq, _)| seq - 1),
        };
        let changes = part.iter().map(|(_, text)| parse(text)).collect();
        match self.replica.advance(changes, seq) {
            Ok(step) => {
                self.heard = upto;
                self.keep(step);
            }
            Err(error) => {
                assert_eq!(error.code(), Code::HistoryExpired, "{error}");
                self.fetch(server);
            }
        }
    }
}

/// Carries out a write that no device knows of, as [`Server::batch`] does.
///
/// # Errors
/// The body of the problem, when it is refused.
pub fn direct(server: &mut Server, operation: &str) -> Result<String, String> {
    server.batch(&format!(r#"{{"operations":[{operation}]}}"#))
}

/// A replica of a server with one context, and what the server has.
pub fn pair(data: &str) -> (Server, Device) {
    let mut server = Server::empty();
    direct(
        &mut server,
        &format!(r#"{{"action":"create","level":"project","context_id":"p","data":{data}}}"#),
    )
    .unwrap();
    let device = Device::new("x", &mut server);
    (server, device)
}

/// The keys of the writes that are refused.
pub fn refused(device: &Device) -> Vec<String> {
    let pending: Json = serde_json::from_slice(&json::write(&device.replica.pending())).unwrap();
    let refused = list(&pending).iter().filter(|pending| pending["state"] == "refused");
    refused.map(|pending| pending["key"].as_str().unwrap().to_owned()).collect()
}

/// What is in conflict.
pub fn conflicts(device: &Device) -> Vec<Json> {
    serde_json::from_slice(&json::write(&device.replica.conflicts().unwrap())).unwrap()
}

/// Tells the server all that waits, and the device all that happened.
pub fn finish(server: &mut Server, device: &mut Device) {
    for _ in 0..20 {
        let step = device.replica.take_off(Moment(0)).unwrap();
        device.keep(step);
        if let Some(body) = device.replica.under_way().map(String::from) {
            let step = match server.batch(&body) {
                Ok(answer) => device.replica.land(&parse(&answer)).unwrap(),
                Err(problem) => device.replica.turn_back(&parse(&problem)).unwrap(),
            };
            device.keep(step);
        }
        device.hear(server, None);
    }
    assert_eq!(device.replica.queued(), 0);
}

/// What the server has of [`pair`]'s context; `null` when that is gone.
pub fn data(server: &Server) -> Json {
    let data = server.world.data(&Address::parse("project", "p").unwrap());
    data.map_or(Json::Null, |data| serde_json::from_slice(&data).unwrap())
}
