// The benchmark's application with scs, or without sessions: `server sessions|bare`.
package main

import (
	"encoding/gob"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/alexedwards/scs/v2"
)

type user struct {
	ID     uint64
	Name   string
	Visits uint32
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	mux := http.NewServeMux()
	ok := func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok")) }
	mux.HandleFunc("/ignore", ok)
	if os.Args[1] == "bare" {
		for _, path := range []string{"/read", "/write", "/sign-in"} {
			mux.HandleFunc(path, ok)
		}
		panic(http.Serve(listener, mux))
	}
	gob.Register(user{})
	sessions := scs.New()
	sessions.Lifetime = 30 * 24 * time.Hour
	mux.HandleFunc("/read", func(w http.ResponseWriter, r *http.Request) {
		if sessions.Get(r.Context(), "user").(user).ID != 17 {
			panic("not signed in")
		}
		ok(w, r)
	})
	mux.HandleFunc("/write", func(w http.ResponseWriter, r *http.Request) {
		kept := sessions.Get(r.Context(), "user").(user)
		kept.Visits++
		sessions.Put(r.Context(), "user", kept)
		ok(w, r)
	})
	mux.HandleFunc("/sign-in", func(w http.ResponseWriter, r *http.Request) {
		if err := sessions.RenewToken(r.Context()); err != nil {
			panic(err)
		}
		sessions.Put(r.Context(), "user", user{ID: 17, Name: "ada"})
		ok(w, r)
	})
	panic(http.Serve(listener, sessions.LoadAndSave(mux)))
}
