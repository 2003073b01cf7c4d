CREATE TABLE accounts (
	id INTEGER NOT NULL,
	uid TEXT NOT NULL,
	name TEXT NOT NULL,
	platform TEXT NOT NULL,
	url TEXT,
	user_name TEXT,
	settings TEXT,
	facts TEXT,
	facts_at INTEGER,
	state TEXT NOT NULL,
	state_message TEXT,
	token_expires_at INTEGER,
	paused INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (uid),
	UNIQUE (name)
)
 STRICT;
CREATE TABLE attempts (
	id INTEGER NOT NULL,
	delivery_id INTEGER NOT NULL,
	n INTEGER NOT NULL,
	started_at INTEGER NOT NULL,
	finished_at INTEGER NOT NULL,
	action TEXT NOT NULL,
	step TEXT NOT NULL,
	outcome TEXT NOT NULL,
	error_kind TEXT,
	error_message TEXT,
	error_status INTEGER,
	error_hint TEXT,
	evidence TEXT,
	PRIMARY KEY (id),
	FOREIGN KEY(delivery_id) REFERENCES deliveries (id) ON DELETE CASCADE
)
 STRICT;
CREATE INDEX ix_attempts_delivery_id ON attempts (delivery_id);
CREATE TABLE deliveries (
	id INTEGER NOT NULL,
	post_id INTEGER NOT NULL,
	account_id INTEGER NOT NULL,
	occurrence INTEGER NOT NULL,
	due_at INTEGER NOT NULL,
	next_at INTEGER,
	prepare_at INTEGER,
	status TEXT NOT NULL,
	came_from TEXT,
	priority INTEGER NOT NULL,
	paused INTEGER NOT NULL,
	attempts INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	asked INTEGER NOT NULL,
	not_there INTEGER NOT NULL,
	grace_until INTEGER,
	claim TEXT,
	claim_worker INTEGER,
	claimed_at INTEGER,
	claim_until INTEGER,
	sent_at INTEGER,
	steps TEXT,
	started_at INTEGER,
	lateness INTEGER,
	published_at INTEGER,
	finished_at INTEGER,
	error_kind TEXT,
	error_message TEXT,
	error_status INTEGER,
	error_hint TEXT,
	PRIMARY KEY (id),
	UNIQUE (post_id, account_id, occurrence),
	FOREIGN KEY(post_id) REFERENCES posts (id) ON DELETE CASCADE,
	FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE
)
 STRICT;
CREATE INDEX claims ON deliveries (claim_until) WHERE claim IS NOT NULL;
CREATE INDEX finished ON deliveries (finished_at);
CREATE INDEX preparing ON deliveries (account_id, prepare_at) WHERE prepare_at IS NOT NULL AND paused = 0 AND claim IS NULL;
CREATE INDEX queue ON deliveries (account_id, priority DESC, next_at) WHERE next_at IS NOT NULL AND paused = 0 AND claim IS NULL;
CREATE INDEX upcoming ON deliveries (status, due_at);
CREATE TABLE group_members (
	group_id INTEGER NOT NULL,
	account_id INTEGER NOT NULL,
	PRIMARY KEY (group_id, account_id),
	FOREIGN KEY(group_id) REFERENCES groups (id) ON DELETE CASCADE,
	FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE
)
 STRICT;
CREATE TABLE groups (
	id INTEGER NOT NULL,
	name TEXT NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (name)
)
 STRICT;
CREATE TABLE leases (
	name TEXT NOT NULL,
	holder TEXT NOT NULL,
	until INTEGER NOT NULL,
	PRIMARY KEY (name)
)
 STRICT;
CREATE TABLE media (
	id INTEGER NOT NULL,
	post_id INTEGER NOT NULL,
	part INTEGER NOT NULL,
	position INTEGER NOT NULL,
	path TEXT,
	url TEXT,
	alt TEXT,
	type TEXT,
	bytes INTEGER,
	sha256 TEXT,
	width INTEGER,
	height INTEGER,
	PRIMARY KEY (id),
	FOREIGN KEY(post_id) REFERENCES posts (id) ON DELETE CASCADE
)
 STRICT;
CREATE INDEX ix_media_post_id ON media (post_id);
CREATE TABLE meta (
	name TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (name)
)
 STRICT;
CREATE TABLE posts (
	id INTEGER NOT NULL,
	uid TEXT NOT NULL,
	text TEXT NOT NULL,
	"then" TEXT,
	comment TEXT,
	link TEXT,
	title TEXT,
	variants TEXT,
	visibility TEXT,
	warning TEXT,
	lang TEXT,
	tags TEXT,
	missed TEXT NOT NULL,
	grace INTEGER NOT NULL,
	catch_up TEXT NOT NULL,
	priority INTEGER NOT NULL,
	"key" TEXT,
	digest TEXT,
	draft INTEGER NOT NULL,
	paused INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (uid),
	UNIQUE ("key")
)
 STRICT;
CREATE INDEX drafts ON posts (created_at) WHERE draft = 1;
CREATE TABLE schedules (
	post_id INTEGER NOT NULL,
	kind TEXT NOT NULL,
	at TEXT,
	tz TEXT NOT NULL,
	rule TEXT,
	PRIMARY KEY (post_id),
	FOREIGN KEY(post_id) REFERENCES posts (id) ON DELETE CASCADE
)
 STRICT;
CREATE TABLE targets (
	post_id INTEGER NOT NULL,
	account_id INTEGER NOT NULL,
	position INTEGER NOT NULL,
	PRIMARY KEY (post_id, account_id),
	FOREIGN KEY(post_id) REFERENCES posts (id) ON DELETE CASCADE,
	FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE
)
 STRICT;
CREATE INDEX ix_targets_account_id ON targets (account_id);
CREATE TABLE workers (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	host TEXT NOT NULL,
	boot TEXT NOT NULL,
	pid INTEGER NOT NULL,
	kind TEXT NOT NULL,
	mark TEXT NOT NULL,
	since INTEGER NOT NULL,
	UNIQUE (mark)
)
 STRICT;
