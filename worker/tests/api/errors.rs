//! The error texts of the HTTP shell: the vectors of `tests/vectors/errors/http`.

use nacre_tests::vectors;
use nacre_topics::{Json, Shape, list, text};

use crate::service::{Call, Service, call};

#[test]
fn every_refusal_says_what_its_vector_says() {
    let shape = Shape { folder: "errors/http", given: &["requests"], expected: &["problem"] };
    vectors::run(&shape, |case| {
        let mut service = Service::new();
        let (last, before) = list(&case["requests"]).split_last().expect("a request");
        for request in before {
            let response = service.send(asked(request));
            assert!(response.status < 300, "{}: {request}", response.status);
        }
        let response = service.send(asked(last));
        assert!(response.status >= 400, "{}: {last}", response.status);
        [serde_json::from_slice::<Json>(&response.body).expect("a problem")]
    });
}

/// The request of a vector.
fn asked(request: &Json) -> Call {
    let mut call = call(text(&request["method"]), text(&request["target"]));
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        call = call.header(name, text(value));
    }
    call.body = request["body"].as_str().unwrap_or_default().into();
    call.scopes(text(&request["scopes"]))
}
