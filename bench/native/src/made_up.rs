//! A made-up organisation, the same in every run: one global layer of 230 KB as a platform team
//! would write it, 3 projects, 20 branches and 500 small tasks of coding agents.

use nacre_core::{json, limits, value::Value};
use serde_json::{Value as Tree, json};

use crate::chains::Row;

const PROJECTS: usize = 3;
const BRANCHES: usize = 20;
const TASKS: usize = 500;
const SERVICES: usize = 155;

/// Every context of the organisation.
pub(crate) fn rows() -> Vec<Row> {
    let mut dice = Dice(2026);
    let mut rows = vec![row("global", "global", None, &global(&mut dice))];
    for project in 0..PROJECTS {
        let data = project_layer(&mut dice, project);
        rows.push(row("project", &format!("project-{project}"), None, &data));
    }
    for branch in 0..BRANCHES {
        let data = branch_layer(&mut dice, branch);
        let parent = format!("project-{}", branch % PROJECTS);
        rows.push(row("branch", &format!("branch-{branch}"), Some(parent), &data));
    }
    for task in 0..TASKS {
        let data = task_layer(&mut dice, task);
        let parent = format!("branch-{}", task % BRANCHES);
        rows.push(row("task", &format!("task-{task}"), Some(parent), &data));
    }
    rows
}

/// Services' configuration, of about so many bytes.
pub(crate) fn document(bytes: usize) -> Tree {
    let mut dice = Dice(4);
    let mut services = json!({});
    let mut place = 0;
    while services.to_string().len() + 600 < bytes {
        services[service(place)] = service_layer(&mut dice, place);
        place += 1;
    }
    let rest = bytes.saturating_sub(services.to_string().len() + 40);
    let about: String = dice.sentences(rest / 60 + 1).chars().take(rest).collect();
    json!({"about": about, "services": services})
}

/// The global layer, with `services` services and whatever else there is in proportion.
fn global(dice: &mut Dice) -> Tree {
    let mut services = json!({});
    let mut alerts = json!({});
    let mut flags = json!({});
    let mut prompts = json!({});
    let mut owners = json!({});
    for place in 0..SERVICES {
        services[service(place)] = service_layer(dice, place);
        owners[service(place)] = json!({
            "team": dice.pick(TEAMS),
            "slack": format!("#{}-{}", dice.pick(TEAMS), dice.pick(WORDS)),
            "escalation": [dice.pick(TEAMS), dice.pick(TEAMS)],
        });
        for rule in ["latency_p99", "error_rate"] {
            alerts[format!("{}_{rule}", service(place))] = json!({
                "expr": format!("rate({}_{rule}[5m]) > {}", service(place), dice.below(100)),
                "for": format!("{}m", 1 + dice.below(15)),
                "severity": dice.pick(&["page", "ticket", "info"]),
                "runbook": format!("https://runbooks.example.com/{}/{rule}", service(place)),
            });
        }
    }
    for place in 0..260 {
        flags[format!("{}_{}_{place}", dice.pick(WORDS), dice.pick(WORDS))] =
            json!({"enabled": dice.below(2) == 1, "percent": dice.below(101)});
    }
    for area in TEAMS {
        prompts[area] = json!({
            "system": dice.sentences(9),
            "style": dice.sentences(5),
            "tools": (0..6).map(|_| dice.pick(WORDS)).collect::<Vec<_>>(),
            "max_tokens": 1024 * (1 + dice.below(16)),
            "temperature": dice.below(10) as f64 / 10.0,
        });
    }
    json!({
        "organisation": {"name": "Example Transit", "locale": "en-GB", "timezone": "Europe/London"},
        "services": services,
        "alerts": alerts,
        "feature_flags": flags,
        "prompts": prompts,
        "owners": owners,
        "conventions": {
            "languages": ["rust", "typescript", "python"],
            "commit_style": "conventional",
            "review": {"approvals": 2, "required_checks": ["build", "test", "lint", "audit"]},
            "coverage": {"minimum": 0.8, "report": true},
        },
        "limits": {"cpu_per_team": 400, "memory_gb_per_team": 1600, "budget_eur": 25_000},
    })
}

/// One service's configuration.
pub(crate) fn service_layer(dice: &mut Dice, place: usize) -> Tree {
    let mut env = json!({});
    for name in ["LOG_LEVEL", "CACHE_TTL", "POOL_SIZE", "REGION", "RETRY_LIMIT", "QUEUE_URL"] {
        env[name] = match name {
            "LOG_LEVEL" => json!(dice.pick(&["debug", "info", "warn"])),
            "REGION" => json!(dice.pick(&["eu-west-1", "eu-central-1", "us-east-1"])),
            "QUEUE_URL" => json!(format!("https://queue.example.com/{}", service(place))),
            _ => json!(dice.below(600).to_string()),
        };
    }
    json!({
        "image": format!("registry.example.com/{}:{}.{}.{}", service(place), dice.below(9), dice.below(30), dice.below(90)),
        "port": 8000 + place,
        "replicas": {"min": 1 + dice.below(3), "max": 4 + dice.below(20), "target_cpu": 0.5 + dice.below(4) as f64 / 10.0},
        "resources": {
            "requests": {"cpu": format!("{}m", 50 * (1 + dice.below(20))), "memory": format!("{}Mi", 64 * (1 + dice.below(16)))},
            "limits": {"cpu": format!("{}m", 100 * (1 + dice.below(20))), "memory": format!("{}Mi", 128 * (1 + dice.below(16)))},
        },
        "env": env,
        "depends_on": (0..dice.below(5)).map(|_| service(dice.below(SERVICES))).collect::<Vec<_>>(),
        "health": {"path": "/healthz", "interval_s": 5 + dice.below(25), "timeout_s": 1 + dice.below(5), "retries": 3},
        "routes": [
            {"host": format!("{}.example.com", service(place)), "path": "/", "tls": true},
            {"host": format!("{}.internal.example.com", service(place)), "path": "/v1", "tls": dice.below(2) == 1},
        ],
        "database": {"engine": dice.pick(&["postgres", "sqlite", "none"]), "pool": 5 + dice.below(40), "replica": dice.below(2) == 1},
        "description": dice.sentences(1),
    })
}

/// `of` once more, with changes, at each of `depth` levels.
pub(crate) fn nested(dice: &mut Dice, depth: usize, of: &Tree) -> Tree {
    let mut level = of.clone();
    level["revision"] = json!(dice.below(1000));
    if depth > 1 {
        level["before"] = nested(dice, depth - 1, of);
    }
    level
}

fn project_layer(dice: &mut Dice, project: usize) -> Tree {
    let mut layer = json!({
        "project": {"name": format!("Project {project}"), "goal": dice.sentences(2), "repository": format!("https://git.example.com/project-{project}")},
        "conventions": {"languages": ["rust"], "review": {"approvals": 1}},
        "limits": {"budget_eur": 4000 + dice.below(1000)},
        "services": {},
    });
    for _ in 0..4 {
        layer["services"][service(dice.below(SERVICES))] =
            json!({"replicas": {"max": 2}, "env": {"LOG_LEVEL": "debug"}});
    }
    layer
}

fn branch_layer(dice: &mut Dice, branch: usize) -> Tree {
    let mut layer = json!({
        "branch": {"name": format!("feature/{}-{branch}", dice.pick(WORDS)), "base": "main", "notes": dice.sentences(2)},
        "prompts": {"search": {"temperature": 0.1}},
        "services": {},
    });
    for _ in 0..2 {
        layer["services"][service(dice.below(SERVICES))] = json!({"image": format!("registry.example.com/preview:{branch}"), "env": {"CACHE_TTL": null, "PREVIEW": "1"}});
    }
    layer
}

fn task_layer(dice: &mut Dice, task: usize) -> Tree {
    let mut layer = json!({
        "task": {
            "title": dice.sentences(1),
            "state": dice.pick(&["open", "in_progress", "review"]),
            "files": (0..3).map(|_| format!("src/{}/{}.rs", dice.pick(WORDS), dice.pick(WORDS))).collect::<Vec<_>>(),
            "findings": dice.sentences(2),
            "attempt": dice.below(5),
        },
        "services": {},
        "limits": {"budget_eur": 10 + dice.below(90)},
    });
    for _ in 0..2 {
        layer["services"][service(dice.below(SERVICES))] =
            json!({"env": {"LOG_LEVEL": "trace"}, "replicas": {"min": 1, "max": 1}});
    }
    if task.is_multiple_of(4) {
        layer["alerts"] = json!({format!("{}_error_rate", service(dice.below(SERVICES))): null});
    }
    layer
}

const TEAMS: &[&str] =
    &["billing", "catalogue", "identity", "payments", "platform", "search", "ticketing", "web"];
pub(crate) const WORDS: &[&str] = &[
    "account",
    "agent",
    "archive",
    "basket",
    "cache",
    "calendar",
    "checkout",
    "content",
    "cursor",
    "delivery",
    "device",
    "export",
    "fare",
    "gateway",
    "history",
    "invoice",
    "journey",
    "ledger",
    "locale",
    "message",
    "metric",
    "notice",
    "order",
    "planner",
    "policy",
    "profile",
    "quota",
    "refund",
    "report",
    "route",
    "schedule",
    "session",
    "station",
    "stream",
    "tariff",
    "timetable",
    "token",
    "travel",
    "upload",
    "vector",
    "voucher",
    "webhook",
];

/// The name of a service.
pub(crate) fn service(place: usize) -> String {
    let word = |place: usize| WORDS[place % WORDS.len()];
    format!("{}-{}-{place:03}", word(place * 7 + 3), word(place * 11 + 5))
}

fn row(level: &str, id: &str, parent: Option<String>, data: &Tree) -> Row {
    let text = serde_json::to_vec(data).expect("a tree is JSON");
    let data: Value = json::read(&text, limits::DEPTH).expect("JSON");
    (level.into(), id.into(), parent, data)
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number from 0 to `limit` - 1.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }

    pub(crate) fn pick<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.below(words.len())]
    }

    pub(crate) fn sentences(&mut self, count: usize) -> String {
        let sentence = |dice: &mut Dice| {
            let words: Vec<&str> = (0..9).map(|_| dice.pick(WORDS)).collect();
            format!("The {}.", words.join(" "))
        };
        (0..count).map(|_| sentence(self)).collect::<Vec<_>>().join(" ")
    }
}
