// Command golang-oauth2 is a client on golang.org/x/oauth2, as its documentation writes one.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

func main() {
	ctx := context.Background()
	env := os.Getenv
	scopes := strings.Split(env("SCOPE"), " ")
	if env("FLOW") == "client_credentials" {
		config := clientcredentials.Config{
			ClientID: env("CLIENT_ID"), ClientSecret: env("CLIENT_SECRET"), TokenURL: env("TOKEN"), Scopes: scopes,
		}
		if env("RESOURCE_NAME") != "" {
			config.EndpointParams = url.Values{env("RESOURCE_NAME"): {env("RESOURCE")}}
		}
		token, err := config.Token(ctx)
		done(token, err, nil)
		return
	}
	config := oauth2.Config{
		ClientID: env("CLIENT_ID"), ClientSecret: env("CLIENT_SECRET"), RedirectURL: env("REDIRECT_URI"), Scopes: scopes,
		Endpoint: oauth2.Endpoint{AuthURL: env("AUTHORIZE"), TokenURL: env("TOKEN")},
	}
	verifier := oauth2.GenerateVerifier()
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(verifier), oauth2.AccessTypeOffline}
	if env("RESOURCE_NAME") != "" {
		options = append(options, oauth2.SetAuthURLParam(env("RESOURCE_NAME"), env("RESOURCE")))
	}
	if env("PROMPT") != "" {
		options = append(options, oauth2.SetAuthURLParam("prompt", env("PROMPT")))
	}
	fmt.Println("open", config.AuthCodeURL("state-of-go", options...))
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		log.Fatal(err)
	}
	back, err := url.Parse(strings.TrimSpace(line))
	if err != nil || back.Query().Get("state") != "state-of-go" {
		log.Fatal("the state is not ours: ", err)
	}
	token, err := config.Exchange(ctx, back.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil || token.RefreshToken == "" {
		done(token, err, nil)
		return
	}
	expired := &oauth2.Token{RefreshToken: token.RefreshToken, Expiry: time.Now().Add(-time.Hour)}
	refreshed, err := config.TokenSource(ctx, expired).Token()
	done(token, err, refreshed)
}

func done(token *oauth2.Token, err error, refreshed *oauth2.Token) {
	if err != nil {
		log.Fatal(err)
	}
	said := map[string]any{"access_token": token.AccessToken, "scope": token.Extra("scope"), "id_token": token.Extra("id_token")}
	if refreshed != nil {
		said["refreshed"] = refreshed.AccessToken
	}
	text, err := json.Marshal(said)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("done", string(text))
}
