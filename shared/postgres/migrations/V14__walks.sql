-- What else the sweep forgets, and what an export walks along.

-- Requests that nobody answered, the oldest first.
CREATE INDEX contact_requests_created_at_idx ON contact_requests (created_at);

-- What one person made, in an order in which it can be read part by part.
CREATE INDEX reactions_of_user_idx ON reactions (user_id, conversation_id, rev);
CREATE INDEX invites_of_creator_idx ON invites (creator_id, id);
