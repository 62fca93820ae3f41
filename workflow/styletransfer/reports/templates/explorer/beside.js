// In a report the verdict's folder stands alone: what leads to the explorer beside it is left out.
if (!/\/verdict\/(index\.html)?$/.test(location.pathname)) {
  for (const link of document.querySelectorAll('a[href^="../"]'))
    if (link.closest("nav")) link.remove();
    else link.removeAttribute("href");
}
