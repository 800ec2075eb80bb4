import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import { Shell } from "@/components/shell/shell";
import "./globals.css";

export const metadata: Metadata = {
  description: "Chat with the language models on your own machine.",
  robots: { index: false },
};

export const viewport: Viewport = {
  width: "device-width",
  initialScale: 1,
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#fcfcfb" },
    { media: "(prefers-color-scheme: dark)", color: "#151715" },
  ],
};

/**
 * Runs before the first paint, so that neither the theme nor the language flashes. The server
 * allows exactly this text by its hash; lib/theme.ts and lib/i18n follow the same rules.
 */
const BEFORE_PAINT = `(function(){var d=document.documentElement;function g(k){try{return localStorage.getItem(k)}catch(e){return null}}
var t=g("venom.theme")||g("venom.theme.default");if(t==="light"||t==="dark")d.dataset.theme=t;
var l=g("venom.lang");if(l!=="en"&&l!=="pl")l=navigator.language.toLowerCase().indexOf("pl")===0?"pl":"en";
if(l!=="en"){d.lang=l;d.dataset.pending=""}})()`;

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en" suppressHydrationWarning>
      <head>
        <script dangerouslySetInnerHTML={{ __html: BEFORE_PAINT }} />
      </head>
      <body>
        <Shell>{children}</Shell>
      </body>
    </html>
  );
}
