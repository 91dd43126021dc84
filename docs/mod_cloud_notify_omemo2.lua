-- For Prosody 13: marks pushes for messages under urn:xmpp:omemo:2 as important, as mod_cloud_notify itself does for the
-- older OMEMO. It marks nothing that has no payload: such a stanza is nothing that a user is to be told of.
--
-- Put this file into a folder of plugin_paths, and "cloud_notify_omemo2" into modules_enabled.

-- Clients that look into the server's features see that its pushes are as they should be.
module:add_feature("urn:xmpp:omemo:2");

local text = module:get_option_string("push_notification_important_body", "New Message!");

local function has_payload(stanza)
	-- What another device of the account received or sent.
	local carbon = stanza:find("{urn:xmpp:carbons:2}received/{urn:xmpp:forward:0}forwarded/{jabber:client}message");
	local encrypted = (carbon or stanza):get_child("encrypted", "urn:xmpp:omemo:2");
	return encrypted and encrypted:get_child("payload");
end

module:hook("cloud_notify/push", function (event)
	local stanza = event.original_stanza;
	if event.important or not stanza or stanza.name ~= "message" or not has_payload(stanza) then return; end
	local form = event.notification_payload:get_child("x", "jabber:x:data");
	if not form then return; end
	for field in form:childtags("field") do
		if field.attr.var == "last-message-body" then
			field:reset():text_tag("value", text);
			event.important = true;
		end
	end
end, 10);
