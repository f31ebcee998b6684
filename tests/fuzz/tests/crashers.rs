//! Every law holds for the seeds of its target, and for every input that broke it once:
//! `crashers/<target>/<what it was>`.

use std::{fs, path::Path};

use nacre_fuzz::{TARGETS, Target, target};

#[test]
fn seeds_keep_the_laws() {
    for Target { name, law, seeds, .. } in TARGETS {
        let seeds = seeds();
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for seed in &seeds {
            law(seed);
        }
        println!("{name}: {} seeds", seeds.len());
    }
}

#[test]
fn what_broke_a_law_once_keeps_it_now() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crashers");
    let mut crashers = 0;
    for of_target in fs::read_dir(folder).expect("crashers").map(|e| e.expect("an entry").path()) {
        let name = of_target.file_name().and_then(|name| name.to_str()).expect("a name");
        let target = target(name).unwrap_or_else(|| panic!("no target {name}"));
        for input in fs::read_dir(&of_target).expect("inputs").map(|e| e.expect("an entry").path())
        {
            println!("{}", input.display());
            (target.law)(&fs::read(&input).expect("an input"));
            crashers += 1;
        }
    }
    assert!(crashers > 0, "no crashers found: is the folder still there?");
}
