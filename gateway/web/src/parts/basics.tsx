/** Small parts of every screen: buttons, fields, choices, and what is shown while something is missing. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Problem, Unreachable } from "../ground/problem";
import { say } from "../ground/words";

type Children = { children: ComponentChildren };

/** A screen's own part of the page: its one heading, focused when the address changes, and its title. */
export function Page({ title, children }: Children & { title: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · ${hubName()}`;
    if (document.activeElement === document.body || document.activeElement?.closest(".bar")) heading.current?.focus();
  }, [title]);
  return (
    <main id="page" class="page">
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children}
    </main>
  );
}

/** The name of the hub, as its gateway wrote it into the page. */
export function hubName(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="hub"]')?.content ?? "Hearth";
}

type ButtonProps = Omit<JSX.IntrinsicElements["button"], "class"> &
  Children & { look?: "first" | "bare"; busy?: boolean };

/** A button. While it is `busy` it can't be pressed again. */
export function Button({ look, busy = false, onClick, type = "button", children, ...rest }: ButtonProps) {
  const press: JSX.IntrinsicElements["button"]["onClick"] = (event) => {
    if (busy) event.preventDefault();
    else (onClick as ((event: unknown) => void) | undefined)?.(event);
  };
  return (
    <button {...rest} type={type} class={`button ${look ?? ""}`} aria-busy={busy} onClick={press}>
      {children}
    </button>
  );
}

interface FieldProps {
  label: string;
  hint?: string;
  wrong?: string | undefined;
  name: string;
  type?: "text" | "email" | "password" | "search";
  autocomplete?: string;
  value: string;
  long?: boolean;
  required?: boolean;
  most?: number;
  onText: (text: string) => void;
}

/** A field with its label, its hint and what is wrong with it. */
export function Field({
  label,
  hint,
  wrong,
  name,
  type,
  autocomplete,
  value,
  long,
  required,
  most,
  onText,
}: FieldProps) {
  const id = useId();
  const about = [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(" ");
  const shared = {
    id,
    name,
    value,
    required: required ?? false,
    "aria-invalid": wrong !== undefined,
    ...(about ? { "aria-describedby": about } : {}),
    ...(most ? { maxLength: most } : {}),
    dir: "auto" as const,
    onInput: (event: Event) => onText((event.currentTarget as HTMLInputElement).value),
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint && (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {long ? (
        <textarea {...shared} rows={4} />
      ) : (
        <input
          {...shared}
          type={(type ?? "text") as "text"}
          {...(autocomplete ? { autoComplete: autocomplete } : {})}
        />
      )}
      {wrong && (
        <span class="wrong" id={`${id}-wrong`}>
          {wrong}
        </span>
      )}
    </div>
  );
}

interface ChoiceProps<T extends string> {
  legend: string;
  name: string;
  options: { value: T; label: string }[];
  chosen: T | null;
  onChoice: (value: T) => void;
}

/** One of a few, as chips. */
export function Choice<T extends string>({ legend, name, options, chosen, onChoice }: ChoiceProps<T>) {
  return (
    <fieldset class="choice">
      <legend>{legend}</legend>
      {options.map(({ value, label }) => (
        <label class="chip" key={value}>
          <input type="radio" name={name} value={value} checked={chosen === value} onChange={() => onChoice(value)} />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** A yes or no. */
export function Switch({ label, on, onTurn }: { label: string; on: boolean; onTurn: (on: boolean) => void }) {
  const id = useId();
  return (
    <div class="switch">
      <input id={id} type="checkbox" checked={on} onChange={(event) => onTurn(event.currentTarget.checked)} />
      <label for={id}>{label}</label>
    </div>
  );
}

/** What a person reads when something went wrong: what, why, and what now. */
export function saidOf(error: unknown): string {
  if (error instanceof Unreachable) return say("frame", "unreachable");
  if (error instanceof Problem) return error.document.detail;
  throw error;
}

/** What is wrong with one field, as the hub says it. */
export function wrongWith(error: unknown, field: string): string | undefined {
  return error instanceof Problem ? error.document.errors?.find((each) => each.field === field)?.says : undefined;
}

/** A refusal, with a way on. */
export function Refusal({ error, again }: { error: unknown; again?: () => void }) {
  return (
    <div class="refusal" role="alert">
      <p>{saidOf(error)}</p>
      {again && <Button onClick={again}>{say("frame", "again")}</Button>}
    </div>
  );
}

/** What a list says when it has nothing. */
export function Empty({ children }: Children) {
  return <p class="soft">{children}</p>;
}

/** The place of what is still on its way. It is seen after a moment only. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  return (
    <div class="stack" aria-hidden="true">
      {Array.from({ length: lines }, (_, nth) => (
        <div class="bone" key={nth} />
      ))}
    </div>
  );
}

interface Asked<T> {
  data: T | undefined;
  error: unknown;
  refetch: () => unknown;
}

/** What was asked for, or why it is not there, or its place while it comes. */
export function Shown<T>({ asked, children }: { asked: Asked<T>; children: (found: T) => ComponentChildren }) {
  if (asked.data !== undefined) return <>{children(asked.data)}</>;
  if (asked.error) return <Refusal error={asked.error} again={() => asked.refetch()} />;
  return <Skeleton />;
}
