// The benchmark's application with express-session, or without sessions: `node server.mjs sessions|bare`.
import { randomBytes } from "node:crypto";
import express from "express";
import session from "express-session";

const app = express();
const bare = process.argv[2] === "bare";
if (!bare) {
  const secret = randomBytes(32).toString("hex");
  app.use(session({ secret, resave: false, saveUninitialized: false, cookie: { maxAge: 2_592_000_000 } }));
}
const ok = (request, response) => response.type("text/plain").send("ok");
app.get("/ignore", ok);
app.get("/read", bare ? ok : (request, response) => {
  if (request.session.user.id !== 17) throw new Error("not signed in");
  ok(request, response);
});
app.get("/write", bare ? ok : (request, response) => {
  request.session.user.visits += 1;
  ok(request, response);
});
app.get("/sign-in", bare ? ok : (request, response, next) => {
  request.session.regenerate((error) => {
    if (error) return next(error);
    request.session.user = { id: 17, name: "ada", visits: 0 };
    ok(request, response);
  });
});
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
