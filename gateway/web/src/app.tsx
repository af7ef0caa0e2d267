/** The addresses and their screens. This is the only file that knows all nouns. */

import { lazy, Suspense } from "preact/compat";
import { Link, Redirect, Route, Switch } from "wouter-preact";
import { Frame, Head } from "./frame/Frame";
import { member } from "./ground/session";
import { say } from "./ground/words";
import { Page, Skeleton } from "./parts/basics";
import SignIn from "./sessions/SignIn";
import Today from "./today/Today";

const Claims = lazy(() => import("./feedback/Claims"));
const Desk = lazy(() => import("./feedback/Desk"));
const EventPage = lazy(() => import("./events/Event"));
const Inbox = lazy(() => import("./notifications/Inbox"));
const Join = lazy(() => import("./members/Join"));
const Me = lazy(() => import("./members/Me"));
const Mine = lazy(() => import("./feedback/Mine"));
const People = lazy(() => import("./members/People"));
const Person = lazy(() => import("./members/Person"));
const Programme = lazy(() => import("./events/Programme"));
const Say = lazy(() => import("./feedback/Say"));
const Voice = lazy(() => import("./feedback/Voice"));

export function App() {
  if (member.value === undefined) return <Waiting />;
  return member.value === null ? <Outside /> : <Inside />;
}

function Waiting() {
  return (
    <main class="page">
      <Skeleton />
    </main>
  );
}

function Outside() {
  return (
    <>
      <Head />
      <Suspense fallback={<Waiting />}>
        <Switch>
          <Route path="/members/new" component={Join} />
          <Route path="/feedback/claims" component={Claims} />
          <Route component={SignIn} />
        </Switch>
      </Suspense>
    </>
  );
}

function Inside() {
  return (
    <Frame>
      <Suspense fallback={<Waiting />}>
        <Switch>
          <Route path="/" component={Today} />
          <Route path="/sessions/new">
            <Redirect to="/" replace />
          </Route>
          <Route path="/members/new">
            <Redirect to="/" replace />
          </Route>
          <Route path="/notifications" component={Inbox} />
          <Route path="/events" component={Programme} />
          <Route path="/events/:id">{({ id }) => <EventPage key={id} id={id} />}</Route>
          <Route path="/feedback/new" component={Say} />
          <Route path="/feedback/claims" component={Claims} />
          <Route path="/feedback" component={Mine} />
          <Route path="/feedback/:id">{({ id }) => <Voice key={id} id={id} />}</Route>
          <Route path="/desk" component={Desk} />
          <Route path="/members" component={People} />
          <Route path="/members/:id">{({ id }) => <Person key={id} id={id} />}</Route>
          <Route path="/me" component={Me} />
          <Route component={Nothing} />
        </Switch>
      </Suspense>
    </Frame>
  );
}

function Nothing() {
  return (
    <Page title={say("frame", "nothing_here")}>
      <p>{say("frame", "nothing_why")}</p>
      <p>
        <Link class="button" href="/">
          {say("frame", "home")}
        </Link>
      </p>
    </Page>
  );
}
