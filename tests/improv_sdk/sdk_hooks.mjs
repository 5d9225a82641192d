// The SDK is written for bundlers: it leaves out file endings, and does not say that it is made of ES modules.

export async function resolve(specifier, context, next) {
  const fromSdk = context.parentURL?.includes("/improv-wifi-serial-sdk/dist/");
  const ending = fromSdk && specifier.startsWith(".") && !specifier.endsWith(".js") ? ".js" : "";
  return next(specifier + ending, context);
}

export async function load(url, context, next) {
  const format = url.includes("/improv-wifi-serial-sdk/dist/") ? "module" : context.format;
  return next(url, { ...context, format });
}
