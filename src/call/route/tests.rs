//! Routes as an operator writes them.

use super::*;

fn place(text: &str) -> Place {
    text.parse().expect("a place")
}

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).expect("a regular expression")
}

const CALLED: Property = Property {
    side: Side::Called,
    facet: Facet::Number,
};
const CALLING: Property = Property {
    side: Side::Calling,
    facet: Facet::Number,
};

fn route(source: &str, called: &str, destination: &str, mappings: &[&str]) -> Route {
    Route {
        sources: source.split_whitespace().map(place).collect(),
        criterion: (!called.is_empty()).then(|| (CALLED, pattern(called))),
        destination: place(destination),
        mappings: mappings.iter().map(|it| (*it).to_owned()).collect(),
    }
}

fn mapping(name: &str, of: Property, rules: &[(&str, &str)]) -> Mapping {
    let rule = |(pattern_text, replacement): &(&str, &str)| Rule {
        pattern: pattern(pattern_text),
        replacement: (*replacement).to_owned(),
        then: Vec::new(),
    };
    Mapping {
        name: name.into(),
        criterion: Subject::One(of),
        transformed: Subject::One(of),
        rules: rules.iter().map(rule).collect(),
    }
}

fn hunt(name: &str, destinations: &str, selection: Selection) -> Hunt {
    Hunt {
        name: name.into(),
        destinations: destinations.split_whitespace().map(place).collect(),
        selection,
        timeout: None,
        causes: Causes::default(),
    }
}

fn call(calling: &str, called: &str) -> Properties {
    let party = |number: &str| Party {
        number: number.into(),
        ..Party::default()
    };
    Properties {
        called: party(called),
        calling: party(calling),
    }
}

/// Each step as `place=number`, hops of one step with a comma.
fn tried(routing: &Routing, source: &str, called: &str, turns: &mut Turns) -> Vec<String> {
    let plan = routing.plan(&place(source), &call("100", called), turns);
    let hop = |it: &Hop| format!("{}={}", it.place, it.properties.called.number);
    let step = |it: &Step| it.hops.iter().map(hop).collect::<Vec<_>>().join(",");
    plan.expect("a plan").iter().map(step).collect()
}

fn once(routing: &Routing, source: &str, called: &str) -> Vec<String> {
    tried(routing, source, called, &mut Turns::default())
}

#[test]
fn the_first_route_that_fits_source_and_number_counts() {
    let routing = Routing {
        routes: vec![
            route("fxs-Port01", "^0", "sip-carrier", &[]),
            route("fxs-Port01 sip-pbx", "^1", "sip-second", &[]),
            route("", "", "fxs-Port02", &[]),
        ],
        ..Routing::default()
    };
    assert_eq!(once(&routing, "fxs-Port01", "0123"), ["sip-carrier=0123"]);
    assert_eq!(once(&routing, "sip-pbx", "123"), ["sip-second=123"]);
    assert_eq!(once(&routing, "sip-carrier", "0123"), ["fxs-Port02=0123"]);
}

#[test]
fn a_number_is_transformed_by_what_its_pattern_found() {
    let routing = Routing {
        routes: vec![route("", "", "sip-carrier", &["e164", "nothing"])],
        mappings: vec![mapping(
            "e164",
            CALLED,
            &[("^00([0-9]+)$", r"+\1"), ("^0([0-9]+)$", r"+49\1")],
        )],
        ..Routing::default()
    };
    assert_eq!(once(&routing, "sip-pbx", "0033123"), ["sip-carrier=+33123"]);
    assert_eq!(
        once(&routing, "sip-pbx", "030123"),
        ["sip-carrier=+4930123"]
    );
    assert_eq!(once(&routing, "sip-pbx", "110"), ["sip-carrier=110"]);
}

#[test]
fn a_mapping_of_both_numbers_and_those_behind_it_are_followed() {
    let mut both = mapping("both", CALLED, &[("^0(.*)$", r"49\1")]);
    both.criterion = Subject::Each(Facet::Number);
    both.transformed = Subject::Each(Facet::Number);
    both.rules[0].then = vec!["plus".into(), "both".into()];
    let routing = Routing {
        routes: vec![route("", "", "sip-carrier", &["both"])],
        mappings: vec![both, mapping("plus", CALLING, &[("^49", r"+\\49")])],
        ..Routing::default()
    };
    let source = place("sip-pbx");
    let plan = routing.plan(&source, &call("01", "02"), &mut Turns::default());
    let plan = plan.expect("a plan");
    let properties = &plan[0].hops[0].properties;
    assert_eq!(properties.called.number, "492");
    assert_eq!(properties.calling.number, r"+\49");
}

#[test]
fn a_hunt_tries_its_trunks_in_order_and_a_cyclic_one_begins_elsewhere_each_time() {
    let mut routing = Routing {
        routes: vec![route("", "", "hunt-out", &[])],
        hunts: vec![hunt("out", "sip-a sip-b sip-c", Selection::Sequential)],
        ..Routing::default()
    };
    let mut turns = Turns::default();
    let all = ["sip-a=1", "sip-b=1", "sip-c=1"];
    assert_eq!(tried(&routing, "fxs-P", "1", &mut turns), all);
    assert_eq!(tried(&routing, "fxs-P", "1", &mut turns), all);
    routing.hunts[0].selection = Selection::Cyclic;
    let first = |turns: &mut Turns| tried(&routing, "fxs-P", "1", turns).remove(0);
    let firsts = [(); 4].map(|()| first(&mut turns));
    assert_eq!(firsts, ["sip-a=1", "sip-b=1", "sip-c=1", "sip-a=1"]);
}

#[test]
fn lines_that_ring_together_are_one_step_with_the_causes_and_time_of_their_hunt() {
    let group = Hunt {
        timeout: Some(Duration::from_secs(10)),
        ..hunt("group", "fxs-P1 fxs-P2", Selection::Simultaneous)
    };
    let routing = Routing {
        routes: vec![route("", "", "hunt-all", &[])],
        hunts: vec![
            hunt("all", "hunt-group sip-voicemail", Selection::Sequential),
            group,
        ],
        ..Routing::default()
    };
    let steps = once(&routing, "sip-a", "1");
    assert_eq!(steps, ["fxs-P1=1,fxs-P2=1", "sip-voicemail=1"]);
    let plan = routing.plan(&place("sip-a"), &call("2", "1"), &mut Turns::default());
    let plan = plan.expect("a plan");
    assert_eq!(plan[0].timeout, Some(Duration::from_secs(10)));
    assert_eq!(plan[1].timeout, None);
}

#[test]
fn a_destination_of_a_hunt_may_be_routes_with_mappings_of_their_own() {
    let routing = Routing {
        routes: vec![
            route("", "", "hunt-out", &[]),
            route("route-b", "", "sip-b", &["nine"]),
        ],
        mappings: vec![mapping("nine", CALLED, &[("^.*$", r"9\0")])],
        hunts: vec![hunt(
            "out",
            "sip-a route-b route-none",
            Selection::Sequential,
        )],
    };
    assert_eq!(once(&routing, "fxs-P", "1"), ["sip-a=1", "sip-b=91"]);
}

#[test]
fn what_leads_nowhere_says_why() {
    let routing = Routing {
        routes: vec![
            route("sip-a", "", "hunt-none", &[]),
            route("sip-b route-b", "", "route-b", &[]),
            route("sip-c", "", "hunt-self", &[]),
        ],
        hunts: vec![hunt("self", "hunt-self hunt-self", Selection::Sequential)],
        ..Routing::default()
    };
    let dead = |source: &str| {
        let plan = routing.plan(&place(source), &call("1", "2"), &mut Turns::default());
        plan.expect_err("nowhere")
    };
    assert_eq!(dead("sip-x"), Dead::NoRoute(place("sip-x")));
    assert_eq!(dead("sip-a"), Dead::NoHunt("none".into()));
    assert_eq!(dead("sip-b"), Dead::Loop(place("route-b")));
    assert_eq!(dead("sip-c"), Dead::Loop(place("hunt-self")));
}

#[test]
fn no_call_is_tried_more_often_than_it_may_be() {
    let many = "sip-a ".repeat(20);
    let routing = Routing {
        routes: vec![route("", "", "hunt-two", &[])],
        hunts: vec![
            hunt("two", "hunt-one hunt-one", Selection::Sequential),
            hunt("one", &many, Selection::Simultaneous),
        ],
        ..Routing::default()
    };
    let plan = routing.plan(&place("fxs-P"), &call("1", "2"), &mut Turns::default());
    let plan = plan.expect("a plan");
    assert_eq!(plan.iter().map(|it| it.hops.len()).sum::<usize>(), 32);
}

#[test]
fn an_expression_that_is_none_or_too_large_is_refused() {
    assert!(Pattern::parse("(").is_err());
    assert!(Pattern::parse("(a{1000}){1000}").is_err());
    assert!("isdn-1".parse::<Place>().is_err() && "sip-".parse::<Place>().is_err());
}
