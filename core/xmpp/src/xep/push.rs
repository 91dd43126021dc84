//! XEP-0357: asking the account's server to tell an app's push service of what comes.

use eft_types::Jid;

use super::data_forms::DataForm;
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

/// Payload of the `set` that switches pushes on (§5). `options` go with each push to the service, which knows by them that
/// the server may push.
#[must_use]
pub fn enable(service: &Jid, node: Option<&str>, options: &[(String, String)]) -> Element {
    let mut enable = named("enable", service, node);
    if !options.is_empty() {
        let form = DataForm::submit("http://jabber.org/protocol/pubsub#publish-options");
        let form = options
            .iter()
            .fold(form, |form, (name, value)| form.with(name, value.clone()));
        enable.append_child(form.to_element());
    }
    enable
}

/// Payload of the `set` that switches them off (§6): those to one node, or all to the service.
#[must_use]
pub fn disable(service: &Jid, node: Option<&str>) -> Element {
    named("disable", service, node)
}

fn named(name: &str, service: &Jid, node: Option<&str>) -> Element {
    let element = element(name, ns::PUSH).with_attr("jid", service.as_str());
    match node {
        Some(node) => element.with_attr("node", node),
        None => element,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::encode_stanza;

    fn service() -> Jid {
        Jid::new("push.app.example").unwrap()
    }

    #[test]
    fn a_service_is_named_with_its_node_and_what_it_wants_to_be_told() {
        let options = [("secret".to_owned(), "a&b".to_owned())];
        let text = encode_stanza(&enable(&service(), Some("node-1"), &options)).unwrap();
        assert_eq!(
            text,
            "<enable xmlns='urn:xmpp:push:0' jid='push.app.example' node='node-1'>\
             <x xmlns='jabber:x:data' type='submit'>\
             <field type='hidden' var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>\
             <field var='secret'><value>a&amp;b</value></field></x></enable>"
        );
        assert_eq!(
            encode_stanza(&enable(&service(), None, &[])).unwrap(),
            "<enable xmlns='urn:xmpp:push:0' jid='push.app.example'/>"
        );
        assert_eq!(
            encode_stanza(&disable(&service(), Some("node-1"))).unwrap(),
            "<disable xmlns='urn:xmpp:push:0' jid='push.app.example' node='node-1'/>"
        );
    }
}
