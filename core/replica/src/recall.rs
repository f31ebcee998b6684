//! Finds out whether a flight was stored, before it is sent again or turned back.
//!
//! The server keeps idempotency keys for a day. After that, a flight that was cut off could be
//! stored a second time, and an append would be there twice. The audit trail is never shortened and
//! names the request of every commit, so it shows whether the flight was stored. If it was, it has
//! landed; if not, it is sent unchanged. A flight that was answered in vain is turned back then.

use alloc::{string::String, vec::Vec};

use super::{
    FLIGHT, Replica, Step,
    flight::{Flight, member},
    odd,
    pending::{Landed, Pending, integer},
};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    json,
    value::Value,
};
use nacre_store::{limits, moment::Moment};

/// Largest age at which a flight is sent again without a check, in milliseconds. It is half of the
/// time that the server remembers keys, because a device's clock may change.
const FRESH: u64 = limits::IDEMPOTENCY_MILLIS / 2;

impl Replica {
    /// The id of the flight's request, for `X-Request-Id`. No other stored request has it.
    pub fn flight_name(&self) -> Option<&str> {
        let first = self.flight.as_ref()?.items.first()?;
        self.queue.iter().find(|pending| pending.n == *first).map(Pending::key)
    }

    /// Whether the flight must be [recalled](Replica::recall) before it is sent again: it is old, or
    /// was answered in vain.
    pub fn is_in_doubt(&self, now: Moment) -> bool {
        self.flight.as_ref().is_some_and(|flight| {
            let age = now.0.checked_sub(flight.at);
            // Without an age it is from the future: the clock was changed.
            flight.in_vain().is_some() || age.is_none_or(|age| age >= FRESH)
        })
    }

    /// Takes a page of the server's audit trail, newest first. Pass further pages as long as the
    /// flight [is in doubt](Replica::is_in_doubt). Pass null if the trail cannot be read: then each
    /// write is refused, instead of being stored twice.
    ///
    /// # Errors
    /// `internal` if there is no flight; `store-unavailable` if it is not a page of the trail.
    pub fn recall(&mut self, page: &Value, now: Moment) -> Result<Step> {
        let commits = match page {
            Value::Null => None,
            page => Some(member(page, "items").and_then(Value::as_array).ok_or_else(odd)?),
        };
        let name = self.flight_name().map(String::from);
        let flight = self.flight.take().ok_or_else(|| Error::bug("no write was being sent"))?;
        let Some(commits) = commits else { return self.give_back(&flight) };
        let mut reached = 0; // for an empty trail
        for commit in commits {
            reached = member(commit, "seq").and_then(integer).unwrap_or_default();
            let by = member(commit, "by").and_then(Value::as_str);
            let request = member(commit, "request_id").and_then(Value::as_str);
            if reached > flight.since
                && by == Some(self.holder.user.as_str())
                && request.is_some_and(|request| Some(request) == name.as_deref())
            {
                return self.find(&flight, commit, reached);
            }
        }
        let mut step = Step::default();
        if reached <= flight.since + 1 {
            if let Some(problem) = flight.in_vain().cloned() {
                self.flight = Some(flight);
                return self.turn_back(&problem);
            }
            let again = flight.anew(now);
            step.entries.push(again.entry());
            self.flight = Some(again);
        } else if member(page, "next_cursor").is_some_and(|next| *next != Value::Null) {
            self.flight = Some(flight);
        } else {
            return self.give_back(&flight);
        }
        Ok(step)
    }

    /// It was stored. Fetch the copy again, because the trail does not contain entries.
    fn find(&mut self, flight: &Flight, commit: &Value, seq: u64) -> Result<Step> {
        let mut made: Vec<(Address, u64)> = Vec::new();
        for deed in member(commit, "deeds").and_then(Value::as_array).unwrap_or_default() {
            let text = |name: &str| member(deed, name).and_then(Value::as_str);
            let version = member(deed, "version").and_then(integer);
            if let (Some(level), Some(id), Some(version)) = (text("level"), text("id"), version) {
                made.push((Address::parse(level, id)?, version));
            }
        }
        let mut step = self.end(flight, "done", &|pending| {
            let last = made.iter().rev().find(|(address, _)| address == pending.address());
            let version = last.map_or(0, |(_, version)| *version);
            pending.kept.landed = Some(Landed { seq, version });
        })?;
        for (address, version) in made {
            self.own.insert(address, version);
        }
        step.entries.push(self.state());
        self.show();
        Ok(step)
    }

    /// It is unknown whether it was stored, so the user must check: its writes are refused.
    fn give_back(&mut self, flight: &Flight) -> Result<Step> {
        let detail =
            "it is not known whether the server stored this write; check and send it again";
        let problem = nacre_wire::problem(&Error::new(Code::HistoryExpired, detail));
        let problem = json::read(&problem, limits::DEPTH)?;
        let seq = self.seq();
        let refuse = |pending: &mut Pending| pending.refuse(problem.clone(), seq);
        let step = self.end(flight, "refused", &refuse)?;
        self.show();
        Ok(step)
    }

    fn end(
        &mut self,
        flight: &Flight,
        state: &str,
        outcome: &dyn Fn(&mut Pending),
    ) -> Result<Step> {
        let mut step = Step::default();
        step.entries.push((FLIGHT.into(), None));
        for pending in self.queue.iter_mut().filter(|pending| flight.holds(pending.n)) {
            outcome(pending);
            step.told.push(pending.shown(state));
            step.entries.push(pending.entry()?);
        }
        Ok(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Holder;
    use nacre_store::{
        decide::{Setting, decide},
        entropy::Entropy,
        memory::MemoryStore,
        op::{Caller, Command, Inspection, Request},
        plan::Plan,
        seal::NoKeys,
        store::Reads,
    };
    use nacre_wire::{Answer, Export, operation::BatchBody, remember, request};

    const HOUR: u64 = 60 * 60 * 1000;

    fn parse(text: &[u8]) -> Value {
        nacre_wire::read_json(text).unwrap()
    }

    /// A server's store, which forgets idempotency keys as the server does.
    struct Server(MemoryStore<'static>);

    impl Server {
        fn answer(
            &mut self,
            command: impl Into<Command>,
            at: u64,
            id: Option<&str>,
        ) -> Result<Answer> {
            let plan = self.carry_out(command.into(), at, id)?;
            Answer::of(&plan.reply, plan.seq)
        }

        fn carry_out(&mut self, command: Command, at: u64, id: Option<&str>) -> Result<Plan> {
            let place = Holder::new(nacre_layers::id::User::parse("alice")?);
            let entropy = &mut Entropy::from_seed([1; 32]);
            let keys = Some(&NoKeys as &dyn nacre_store::seal::Vault);
            let names = &place.names;
            let content = nacre_store::seal::SealContent::Off;
            let mut setting = Setting { at: Moment(at), entropy, keys, names, content };
            let scopes = nacre_store::access::Scopes::UNSTATED;
            let caller = Caller { user: place.user.clone(), owner: place.user.clone(), scopes };
            let request = Request { caller, command, idempotency: None, id: id.map(Into::into) };
            let mut plan = decide(&self.0, &mut setting, &request)?;
            remember(&mut plan, Answer::of)?;
            self.0.apply(&plan.writes);
            Ok(plan)
        }

        fn batch(&mut self, body: &str, at: u64, id: Option<&str>) -> Result<Answer> {
            let body: BatchBody = request::decode(parse(body.as_bytes()))?;
            self.answer(body.into_batch()?, at, id)
        }

        fn write(&mut self, operation: &str) {
            let body = alloc::format!(r#"{{"operations":[{operation}]}}"#);
            self.batch(&body, 0, Some("another")).unwrap();
        }

        fn trail(&mut self, before: Option<u64>, limit: usize) -> Value {
            parse(&self.answer(Inspection::Audit { before, limit }, 0, None).unwrap().body)
        }

        fn export(&mut self) -> Vec<u8> {
            let (mut export, mut text) = (Export::new(false), Vec::new());
            while let Some(part) = export.next() {
                let plan = self.carry_out(part.into(), 0, None).unwrap();
                export.write(&plan.reply, &mut text).unwrap();
            }
            text
        }

        fn log(&self) -> String {
            let address = Address::parse("project", "p").unwrap();
            let record = self.0.record(&address).unwrap().unwrap();
            String::from_utf8(record.layer.text().to_vec()).unwrap()
        }
    }

    const CREATE: &str =
        r#"{"action":"create","level":"project","context_id":"p","data":{"log":[]}}"#;
    const APPEND: &str = r#"{"action":"append","level":"project","context_id":"p","pointer":"/log","values":["mine"]}"#;
    const NOTE: &str =
        r#"{"action":"add_insight","level":"project","context_id":"p","content":"noted"}"#;
    const THEIRS: &str = r#"{"action":"append","level":"project","context_id":"p","pointer":"/log","values":["theirs"]}"#;

    /// A server, and a replica that has sent an append and an insight at 0 hours, to no answer.
    fn cut_off() -> (Server, Replica) {
        let mut server = Server(MemoryStore::new());
        server.write(CREATE);
        let mut replica = Replica::new("alice").unwrap();
        replica.open(&server.export(), server.0.seq().unwrap(), None).unwrap();
        for (n, op) in [(1, APPEND), (2, NOTE)] {
            let key = alloc::format!("key{n}");
            let mut decided =
                replica.write(Vec::from([parse(op.as_bytes())]), &key, Moment(0)).unwrap();
            replica.queue(Vec::from([(n, decided.kept.remove(0))])).unwrap();
        }
        replica.take_off(Moment(0)).unwrap();
        (server, replica)
    }

    fn send(server: &mut Server, replica: &Replica, at: u64) -> Result<Answer> {
        let name = replica.flight_name().map(String::from);
        server.batch(&String::from(replica.under_way().unwrap()), at, name.as_deref())
    }

    /// What is kept is all that a replica needs.
    fn kept(replica: &mut Replica, step: Step) {
        replica.absorb(step.entries, false).unwrap();
    }

    #[test]
    fn sent_again_after_a_day_it_would_be_done_twice() {
        let (mut server, replica) = cut_off();
        send(&mut server, &replica, 0).unwrap();
        send(&mut server, &replica, 23 * HOUR).unwrap();
        assert_eq!(server.log(), r#"{"log":["mine"]}"#);
        send(&mut server, &replica, 25 * HOUR).unwrap();
        assert_eq!(server.log(), r#"{"log":["mine","mine"]}"#, "this is what is prevented");
    }

    #[test]
    fn an_old_flight_that_was_carried_out_has_landed() {
        let (mut server, mut replica) = cut_off();
        send(&mut server, &replica, 0).unwrap();
        server.write(THEIRS);
        assert!(!replica.is_in_doubt(Moment(HOUR)), "the server still knows its keys");
        assert!(replica.is_in_doubt(Moment(25 * HOUR)));
        let step = replica.recall(&server.trail(None, 50), Moment(25 * HOUR)).unwrap();
        kept(&mut replica, step);
        assert_eq!(replica.under_way(), None);
        assert_eq!(replica.queued(), 0);
        replica.open(&server.export(), server.0.seq().unwrap(), None).unwrap();
        replica.take_off(Moment(25 * HOUR)).unwrap();
        assert_eq!(replica.under_way(), None, "nothing is left to send");
        assert_eq!(replica.conflict_count(), 0);
        let view = replica.view(&Address::parse("project", "p").unwrap()).unwrap();
        assert_eq!(view.text, br#"{"log":["mine","theirs"]}"#);
    }

    #[test]
    fn an_old_flight_that_never_arrived_is_sent_as_it_is() {
        let (mut server, mut replica) = cut_off();
        for _ in 0..3 {
            server.write(THEIRS);
        }
        let body = replica.under_way().map(String::from);
        let (mut before, mut pages) = (None, 0);
        while replica.is_in_doubt(Moment(25 * HOUR)) {
            let step = replica.recall(&server.trail(before, 1), Moment(25 * HOUR)).unwrap();
            kept(&mut replica, step);
            before = Some(before.unwrap_or(server.0.seq().unwrap() + 1) - 1);
            pages += 1;
        }
        assert_eq!(pages, 3, "no further back than when it took off");
        assert_eq!(replica.under_way().map(String::from), body);
        let answer = send(&mut server, &replica, 25 * HOUR).unwrap();
        replica.land(&parse(&answer.body)).unwrap();
        assert_eq!(server.log().matches("mine").count(), 1);
    }

    #[test]
    fn where_nobody_can_say_it_is_refused() {
        let (mut server, _) = cut_off();
        server.write(THEIRS);
        server.write(THEIRS);
        // What was forgotten is not what never was.
        let Value::Object(mut shortened) = server.trail(None, 1) else { panic!("no page") };
        shortened.insert("next_cursor", Value::Null);
        for unknown in [Value::Null, Value::Object(shortened)] {
            let (_, mut replica) = cut_off();
            let key = "key3";
            let mut later =
                replica.write(Vec::from([parse(THEIRS.as_bytes())]), key, Moment(1)).unwrap();
            replica.queue(Vec::from([(3, later.kept.remove(0))])).unwrap();
            let step = replica.recall(&unknown, Moment(25 * HOUR)).unwrap();
            assert_eq!(step.told.len(), 2);
            let text = String::from_utf8(json::write(&step.told[0])).unwrap();
            kept(&mut replica, step);
            assert_eq!(replica.under_way(), None);
            let step = replica.take_off(Moment(25 * HOUR)).unwrap();
            assert!(step.told.is_empty(), "it is told once");
            assert_eq!((replica.queued(), replica.refused()), (1, 2), "what was not sent goes on");
            assert!(replica.under_way().unwrap().contains("theirs"));
            assert!(text.contains("history-expired") && text.contains("\"mine\""), "{text}");
        }
    }

    /// Answers in the server's place until the flight is in doubt.
    fn answer_in_vain(replica: &mut Replica) {
        for n in 0.. {
            if replica.is_in_doubt(Moment(0)) {
                assert_eq!(n, 4, "neither at once nor never");
                return;
            }
            let answer = br#"{"code":"unavailable","status":403,"title":"t","detail":"d"}"#;
            let step = replica.pass_over(&parse(answer)).unwrap();
            kept(replica, step);
        }
    }

    #[test]
    fn what_is_answered_in_vain_is_turned_back_until_the_one_that_is_at_fault_is_alone() {
        let (mut server, mut replica) = cut_off();
        answer_in_vain(&mut replica);
        let page = server.trail(None, 200);
        let step = replica.recall(&page, Moment(0)).unwrap();
        assert!(step.told.is_empty(), "two of them: nobody knows which");
        kept(&mut replica, step);
        assert_eq!((replica.under_way(), replica.queued()), (None, 2));
        // The first one alone is at fault, so the second one passes.
        let step = replica.take_off(Moment(0)).unwrap();
        kept(&mut replica, step);
        answer_in_vain(&mut replica);
        let step = replica.recall(&page, Moment(0)).unwrap();
        assert_eq!(step.told.len(), 1);
        kept(&mut replica, step);
        assert_eq!((replica.refused(), replica.queued()), (1, 1));
        let step = replica.take_off(Moment(0)).unwrap();
        kept(&mut replica, step);
        let answer = parse(&send(&mut server, &replica, 0).unwrap().body);
        replica.land(&answer).unwrap();
        assert_eq!(server.log(), r#"{"log":[]}"#);
    }

    #[test]
    fn what_was_stored_and_then_answered_in_vain_has_landed() {
        let (mut server, mut replica) = cut_off();
        send(&mut server, &replica, 0).unwrap();
        answer_in_vain(&mut replica);
        let step = replica.recall(&server.trail(None, 200), Moment(0)).unwrap();
        let told = json::write(&step.told[0]);
        assert!(String::from_utf8(told).unwrap().contains(r#""state":"done""#));
        assert_eq!((replica.under_way(), replica.queued()), (None, 0));
    }

    #[test]
    fn a_clock_that_was_set_back_is_no_proof_of_freshness() {
        let (_, mut replica) = cut_off();
        assert!(!replica.is_in_doubt(Moment(0)));
        assert!(replica.recall(&parse(b"{}"), Moment(0)).is_err());
        assert!(replica.under_way().is_some(), "a page that is none changes nothing");
        let step = Step {
            entries: Vec::from([(
                FLIGHT.into(),
                Some(br#"{"body":"","items":[1],"at":5}"#.to_vec()),
            )]),
            ..Step::default()
        };
        kept(&mut replica, step);
        assert!(replica.is_in_doubt(Moment(4)));
    }
}
